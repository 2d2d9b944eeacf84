//! Dumps between servers of several versions: each that is named in `DR_PG` (directories of
//! programs, with colons between them; `make check-pg` names some), else the installed one alone.

use crate::faults::SCHEMA;
use crate::servers::Rig;
use dr::database::Postgres;
use dr::dump::{Compared, digest_database};
use dr::model::Seconds;
use dr::proof::differences;
use dr::world::World;
use dr_lab::pg::Programs;
use std::path::Path;

fn installed() -> Vec<Programs> {
    let Some(named) = World::default().env("DR_PG") else {
        return vec![Programs::find().expect("PostgreSQL")];
    };
    let at = |dir: &str| Programs::of(Some(Path::new(dir))).expect("programs");
    named.split(':').filter(|d| !d.is_empty()).map(at).collect()
}

fn major(programs: &Programs) -> u32 {
    programs.major().parse().expect("a number")
}

#[test]
fn a_dump_is_loaded_into_the_same_version_and_newer_ones_and_refused_by_older_ones() {
    let all = installed();
    for from in &all {
        for to in &all {
            between(from, to);
        }
    }
}

#[expect(clippy::print_stdout, reason = "scripts/check-pg.sh counts the pairs")]
fn between(from: &Programs, to: &Programs) {
    let pair = format!("{} to {}", from.version, to.version);
    let rig = Rig::between("versions", from.clone(), to.clone());
    rig.run(async {
        rig.from.sql("shop", SCHEMA).await;
        let dump = rig.dump().await.expect("dumped");
        if major(from) > major(to) {
            let address = rig.to.address("shop", "postgres");
            let refused = rig.load(&dump, &address).await.err().expect("refused");
            let wanted = format!("this server is {}", to.major());
            assert!(refused.to_string().contains(&wanted), "{pair}: {refused}");
            let begun = "SELECT count(*) FROM pg_namespace WHERE nspname = 'dr_restore'";
            assert_eq!(rig.to.text("shop", begun).await, "0", "{pair}");
            println!("{pair} is refused");
            return;
        }
        let loader = "CREATE ROLE loader LOGIN CREATEDB CREATEROLE PASSWORD 'pw'";
        rig.to.sql("postgres", loader).await;
        let own = "CREATE DATABASE theirs TEMPLATE template0 OWNER loader";
        rig.to.sql("postgres", own).await;
        for (database, user) in [("theirs", "loader"), ("shop", "postgres")] {
            let pair = format!("{pair} as {user}");
            let address = rig.to.address(database, user);
            let loaded = rig.load(&dump, &address).await.expect("loaded");
            // What the platform owns at the source it does not own here, and that is told.
            let undone = loaded.undone.iter();
            let undone: Vec<_> = undone
                .filter(|u| !u.contains(" OWNER TO rdsadmin: "))
                .collect();
            assert!(undone.is_empty(), "{pair}: {undone:?}");
            match loaded.compared {
                Compared::Schema(differs) => assert_eq!(differs, Vec::<String>::new(), "{pair}"),
                Compared::Not(_) => assert_ne!(from.major(), to.major(), "{pair}"),
            }
            let all = rig.to.address(database, "postgres");
            let found = digest_database::<Postgres>(&all, 2, Seconds(30)).await;
            let found = found.expect("read").tables;
            let wrong = differences(&dump.digests(), &found);
            assert_eq!(wrong, Vec::<String>::new(), "{pair}");
        }
        println!("{pair}: loaded by a superuser and by none, nothing differs");
    });
}
