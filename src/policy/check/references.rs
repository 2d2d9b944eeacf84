//! Rows that name files: which database is asked, and which bucket has them.

use super::drills::asked;
use super::trouble::Found;
use crate::policy::{Policy, Reference, Source};
use crate::report::Code;

pub(super) fn references(policy: &Policy, found: &mut Found) {
    for (n, reference) in policy.references.iter().enumerate() {
        let place = |field: &str| format!("references[{n}].{field}");
        let of = (Some(&reference.source), reference.database.as_ref());
        if let Err((field, message)) = asked(policy, of) {
            found.error(Code::PolicyReference, place(field), message);
        }
        let files = &reference.files;
        let message = match policy.sources.iter().find(|s| s.id() == files) {
            Some(Source::Bucket(_)) => None,
            Some(_) => Some(format!("`{files}` is no bucket: it has no files")),
            None => Some(format!("there is no bucket `{files}` among the sources")),
        };
        if let Some(message) = message {
            found.error(Code::PolicyReference, place("in"), message);
        }
        let before = policy.references[..n].iter();
        let one = |r: &Reference| (r.source.clone(), r.database.clone(), r.name().to_owned());
        if before.map(one).any(|other| other == one(reference)) {
            let message = format!(
                "a second reference `{}` of source `{}`: their checks have one name in proofs; \
                 give one of them an `id` of its own",
                reference.name(),
                reference.source
            );
            found.error(Code::PolicyDuplicate, place("id"), message);
        }
    }
}
