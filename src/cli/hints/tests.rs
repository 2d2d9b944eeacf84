use super::*;

fn typed(line: &str) -> Typed {
    let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
    Typed::new(&words, None)
}

fn spelled(typed: &Typed, hint: Hint) -> String {
    typed.spell(&hint).expect("it can be typed")
}

#[test]
fn the_same_command_is_given_back_with_what_is_missing() {
    let typed = typed(
        "dr restore --from s3://v --region r --endpoint s3=http://127.0.0.1:1 --json --method \
         snapshot --cluster a --yes --plan 1",
    );
    let confirm = Hint::again("restore")
        .arg("--point", 2026)
        .word("--yes")
        .arg("--plan", "ff");
    assert_eq!(
        spelled(&typed, confirm),
        "dr restore --from s3://v --region r --endpoint s3=http://127.0.0.1:1 --method snapshot \
         --cluster a --point 2026 --yes --plan ff"
    );
    let files = Hint::again("restore")
        .arg("--method", "files")
        .arg("--to-bucket", "B");
    assert_eq!(
        spelled(&typed, files),
        "dr restore --from s3://v --region r --endpoint s3=http://127.0.0.1:1 --cluster a \
         --method files --to-bucket B"
    );
}

#[test]
fn a_verb_of_two_words_is_given_back_with_its_flags() {
    let typed = typed("dr vault init --policy p.yaml --profile admin --profile b=c --json");
    assert_eq!(
        spelled(&typed, Hint::again("vault init")),
        "dr vault init --policy p.yaml --profile admin --profile b=c"
    );
}

#[test]
fn a_password_is_never_given_back_and_odd_words_are_quoted() {
    let typed = typed("dr restore --from=s3://v --into postgres://u:secret@h/d --to-prefix a$b");
    assert_eq!(
        spelled(
            &typed,
            Hint::again("restore").word("--yes").arg("--plan", "ff")
        ),
        "dr restore --from s3://v --into \"$DR_RESTORE_INTO\" --to-prefix 'a$b' --yes --plan ff"
    );
}

#[test]
fn the_policy_is_the_one_that_was_named() {
    let status = || Hint::policy("status");
    let named = typed("dr tick --policy p.yaml");
    assert_eq!(spelled(&named, status()), "dr status --policy p.yaml");
    let of_environment = Typed::new(&[], Some("e.yaml".into()));
    assert_eq!(
        spelled(&of_environment, status()),
        "dr status --policy e.yaml"
    );
    assert_eq!(
        spelled(&typed("dr tick"), status()),
        "dr status --policy FILE"
    );
}

#[test]
fn an_incident_without_a_policy_is_given_no_command_that_needs_one() {
    let incident = typed("dr restore --from s3://v --region r");
    assert_eq!(incident.spell(&Hint::policy("verify")), None);
    assert!(incident.spell(&Hint::shell("timedatectl status")).is_some());
}

#[test]
fn whoever_named_a_vault_is_told_to_look_there_again_and_to_do_nothing_else() {
    let typed = typed("dr status --from=s3://v --region r --json --profile auditor");
    let policy = |verb| typed.spell(&Hint::policy(verb));
    let flags = "--from s3://v --region r --profile auditor";
    assert_eq!(policy("verify"), Some(format!("dr verify {flags}")));
    assert_eq!(policy("status"), Some(format!("dr status {flags}")));
    assert_eq!(policy("tick"), None);
}
