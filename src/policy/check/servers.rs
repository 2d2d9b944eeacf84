//! Servers that are entered by their address: who enters them, and where their dumps are tried.

use super::trouble::Found;
use crate::model::is_loopback;
use crate::policy::{Policy, Source};
use crate::report::Code;

pub(super) fn servers(policy: &Policy, found: &mut Found) {
    let bundle = policy.credentials.postgres_ca_file.is_some();
    let unsafe_without = |host: &str, ca_file: bool| !ca_file && !bundle && !is_loopback(host);
    for (n, source) in policy.sources.iter().enumerate() {
        let Source::Postgres(server) = source else {
            continue;
        };
        let Some(reader) = &server.reader else {
            found.error(
                Code::PolicyServer,
                format!("sources[{n}].reader"),
                "a server is dumped by somebody: name `user` and `password_file`",
            );
            continue;
        };
        if unsafe_without(server.host.as_str(), reader.ca_file.is_some()) {
            found.error(
                Code::PolicyServer,
                format!("sources[{n}].reader.ca_file"),
                without_tls(server.host.as_str()),
            );
        }
    }
    let Some(drill) = &policy.drill else {
        return;
    };
    match &drill.scratch_server {
        Some(server) => {
            if unsafe_without(server.host.as_str(), server.ca_file.is_some()) {
                found.error(
                    Code::PolicyServer,
                    "drill.scratch_server.ca_file",
                    without_tls(server.host.as_str()),
                );
            }
            let source = policy
                .servers()
                .find(|s| (&s.host, s.port) == (&server.host, server.port));
            if let Some(source) = source {
                found.error(
                    Code::PolicyServer,
                    "drill.scratch_server.host",
                    format!(
                        "it is source `{}`: a drill makes and drops databases on its scratch \
                         server",
                        source.id
                    ),
                );
            }
        }
        None => {
            if let Some(source) = policy.servers().next() {
                found.error(
                    Code::PolicyServer,
                    "drill.scratch_server",
                    format!(
                        "the dumps of source `{}` are proven on a server: name one here",
                        source.id
                    ),
                );
            }
        }
    }
}

fn without_tls(host: &str) -> String {
    format!(
        "`{host}` is not on loopback, so it is spoken to by TLS alone: name a PEM bundle here, or \
         in `credentials.postgres_ca_file`"
    )
}
