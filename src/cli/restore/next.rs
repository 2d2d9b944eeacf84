//! What is left to do by hand after a restore.

use crate::cli::answer::Answer;
use crate::operations::restore::Choice;
use crate::plan::RestoreInto;

pub fn next_steps(answer: &mut Answer, choice: &Choice<'_>, endpoint: &str) {
    answer.line("Next:");
    match &choice.into {
        RestoreInto::Cluster { id, .. } => {
            answer.line(format!(
                "  1. secret: the master password is new; set your own: aws rds \
                 modify-db-cluster --db-cluster-identifier {id} --master-user-password …"
            ));
            answer.line(format!(
                "  2. DNS: point the database's name to {endpoint}; application roles and their \
                 passwords are those of the snapshot"
            ));
            answer.line(
                "  3. application: restart it against the new endpoint, then check that writes \
                 arrive",
            );
        }
        RestoreInto::Database { .. } => {
            answer.line(
                "  1. secret: roles came without passwords; set them: ALTER ROLE … PASSWORD …",
            );
            answer.line(format!("  2. DNS: point the database's name to {endpoint}"));
            answer.line("  3. application: restart it, then check that writes arrive");
        }
        RestoreInto::Bucket { .. } => {
            answer.line(format!("  1. application: point it to {endpoint}"));
        }
    }
}
