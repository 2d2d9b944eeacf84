//! What is told of other providers: answers in another language, locations, keys that are refused.

use crate::cloud::Cloud;
use crate::stores::{block_on, bucket, clients};
use dr::aws::Kind;
use dr::aws::s3::Bucket;
use dr::model::Provider;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};

/// A store that answers each request with the next of some answers, and shows what it was asked.
struct Parrot {
    url: String,
    heard: Receiver<String>,
    keys: PathBuf,
}

impl Parrot {
    fn new(name: &str, answers: &[(u16, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let answers: Vec<String> = answers
            .iter()
            .map(|(status, body)| {
                let length = body.len();
                format!(
                    "HTTP/1.1 {status} X\r\nconnection: close\r\n\
                     content-length: {length}\r\n\r\n{body}"
                )
            })
            .collect();
        let (tell, heard) = channel();
        std::thread::spawn(move || {
            for answer in answers {
                let Ok((mut stream, _)) = listener.accept() else {
                    return;
                };
                let _nobody_listens = tell.send(request(&mut stream));
                let _gone = stream.write_all(answer.as_bytes());
            }
        });
        let keys = crate::cloud::place(name).join("keys");
        let text = "[any]\naws_access_key_id = a\naws_secret_access_key = b\n";
        std::fs::write(&keys, text).expect("written");
        Self { url, heard, keys }
    }

    async fn bucket(&self) -> Bucket {
        let clients = clients(self.keys.to_str().expect("a path"), "any");
        bucket(
            &clients,
            &self.url,
            "nowhere-1",
            "vault",
            Provider::Compatible,
        )
        .await
    }
}

impl Drop for Parrot {
    fn drop(&mut self) {
        drop(self.keys.parent().map(std::fs::remove_dir_all));
    }
}

/// Head and body of one request.
fn request(stream: &mut TcpStream) -> String {
    let (mut text, mut piece) = (String::new(), [0; 4096]);
    loop {
        let n = stream.read(&mut piece).expect("a request");
        text.push_str(&String::from_utf8_lossy(&piece[..n]));
        let wanted = text.split_once("\r\n\r\n").map(|(head, _)| {
            let lines = head.lines().filter_map(|l| l.split_once(": "));
            let length = lines
                .filter(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .find_map(|(_, v)| v.parse::<usize>().ok());
            head.len() + 4 + length.unwrap_or(0)
        });
        if n == 0 || wanted.is_some_and(|w| text.len() >= w) {
            return text;
        }
    }
}

#[test]
fn an_answer_in_another_language_is_told_as_such() {
    let page = "<html><body>Welcome</body>";
    let parrot = Parrot::new("language", &[(200, page), (200, page)]);
    block_on(async {
        let bucket = parrot.bucket().await;
        let listed = bucket.versions("", 10).await.expect_err("no listing");
        assert_eq!(listed.kind, Kind::Unsupported, "{}", listed.full());
        assert!(
            listed.to_string().contains("the answer could not be read"),
            "{listed}"
        );
        assert!(
            listed.full().len() > listed.to_string().len(),
            "with its cause"
        );
        // It may be done: whoever looks finds it.
        let completed = bucket.complete_upload("a", "u", &[], false).await;
        assert_eq!(completed.expect_err("no answer").kind, Kind::Unavailable);
    });
}

#[test]
fn no_such_tag_set_means_no_tags_and_no_object_that_is_gone() {
    let none = "<Error><Code>NoSuchTagSet</Code><Message>no</Message></Error>";
    let gone = "<Error><Code>NoSuchKey</Code><Message>no</Message></Error>";
    let parrot = Parrot::new("tags", &[(404, none), (404, gone)]);
    block_on(async {
        let bucket = parrot.bucket().await;
        let tags = bucket.tags("a", Some("v")).await.expect("no tags");
        assert!(tags.is_empty(), "{tags:?}");
        let gone = bucket.tags("a", Some("v")).await.expect_err("no object");
        assert_eq!(gone.kind, Kind::NotFound, "{gone}");
    });
}

#[test]
fn a_bucket_is_made_in_its_region_and_without_one_where_the_store_knows_none() {
    let unknown = "<Error><Code>InvalidLocationConstraint</Code><Message>no</Message></Error>";
    let parrot = Parrot::new("location", &[(400, unknown), (200, "")]);
    block_on(async {
        let bucket = parrot.bucket().await;
        bucket.create_with_lock().await.expect("made");
    });
    let heard: Vec<String> = parrot.heard.try_iter().collect();
    let named = |text: &str| text.contains("<LocationConstraint>nowhere-1</LocationConstraint>");
    assert_eq!(
        heard.iter().map(|t| named(t)).collect::<Vec<_>>(),
        [true, false]
    );
}

#[test]
fn the_other_providers_vault_is_made_where_its_region_is() {
    let cloud = Cloud::start("region", &["--empty", "--no-writers"]);
    cloud.init();
    let refused = cloud
        .calls(0)
        .into_iter()
        .filter(|c| c["operation"] == "CreateBucket" && c["status"] != 200)
        .count();
    assert_eq!(refused, 0);
}

#[test]
fn a_refused_key_is_no_outage_and_no_matter_of_an_sts_that_is_not_there() {
    let cloud = Cloud::start("refused", &["--empty", "--no-writers"]);
    cloud.init();
    cloud.fault(
        &serde_json::json!({"region": "other", "service": "s3"}),
        0,
        &serde_json::json!({"kind": "refuse", "code": "AccessDenied", "status": 403}),
    );
    let both = cloud.dr(&["status"]);
    let told = format!("{}{}", both.stdout, both.stderr);
    assert!(
        told.contains("other cannot be used now") && told.contains("AccessDenied"),
        "{told}"
    );
    let policy = cloud.policy_with("other.yaml", |text| {
        let without = |text: &str, from: &str, to: &str| {
            let (before, rest) = text.split_once(from).expect("its beginning");
            let (_, after) = rest.split_once(to).expect("its end");
            format!("{before}{to}{after}")
        };
        let files = without(&text, "  - id: shop\n", "  - id: app-files\n");
        let undrilled = without(&files, "objectives:\n", "concurrency:\n");
        without(&undrilled, "  # The second region", "  # Another provider")
    });
    let policy = policy.to_str().expect("a path");
    let alone = cloud.dr(&["status", "--policy", policy]);
    let told = format!("{}{}", alone.stdout, alone.stderr);
    assert!(told.contains("no target can be read"), "{told}");
    assert!(
        !told.contains(" sts ") && told.contains("hint: aws s3api head-bucket --bucket dr-vault-"),
        "{told}"
    );
}
