use super::*;

#[test]
fn versions_are_read_as_the_program_says_them() {
    assert_eq!(
        version("pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"),
        Some((15, 18))
    );
    assert_eq!(version("pg_dump (PostgreSQL) 18beta1"), Some((18, 0)));
    assert_eq!(version("sh: not found"), None);
}

#[test]
fn programs_with_the_hole_are_known() {
    let obeys = |major, minor| {
        let path = PathBuf::new();
        DumpProgram {
            path,
            major,
            minor,
            patience: None,
        }
        .obeys_names()
    };
    for (major, minor) in [(12, 22), (13, 21), (14, 18), (15, 13), (16, 9), (17, 5)] {
        assert!(obeys(major, minor), "{major}.{minor}");
        assert!(!obeys(major.max(13), minor + 1) || major == 12);
    }
    assert!(!obeys(18, 0));
}

#[test]
fn a_server_is_read_by_a_program_that_is_not_older() {
    let chosen = |majors: &[u32], server| {
        let program = |major: &u32| DumpProgram {
            path: PathBuf::new(),
            major: *major,
            minor: 0,
            patience: None,
        };
        DumpProgram::choose(majors.iter().map(program).collect(), server).map(|p| p.major)
    };
    // The first is that of PATH.
    assert_eq!(chosen(&[17, 15], 15), Ok(17));
    assert_eq!(chosen(&[15, 18, 16, 17], 16), Ok(16));
    let refused = chosen(&[15, 16], 18).unwrap_err();
    assert!(
        refused.contains("18") && refused.contains("is 16"),
        "{refused}"
    );
    assert!(
        chosen(&[], 16)
            .unwrap_err()
            .contains("postgresql-client-16")
    );
}

#[test]
fn only_what_pg_dump_adds_is_dropped_and_every_other_byte_stays() {
    let body = "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$\r\nSELECT '\r\n\
         \\restrict x\r\n\\connect y\n-- z'\n\\unrestrict x\n$$;\r\n";
    let text = format!("--\n-- head\n\n\\restrict q\n\n{body}\n\\unrestrict q\n");
    let kept = without_meta(&text).unwrap();
    assert_eq!(kept, format!("--\n-- head\n\n\n{body}\n"));
    let wrong = without_meta("-- Name: x\n\\! touch /tmp/x\nSELECT 1;").unwrap_err();
    assert!(wrong.contains("line break"), "{wrong}");
}

#[test]
fn complaints_hold_no_values() {
    let told = complaints(
        "pg_dump: error: query failed: ERROR:  permission denied for table t\n\
         pg_dump: detail: Query was: LOCK TABLE x WHERE y = 'SECRET'",
    );
    assert_eq!(told, "query failed: permission denied for table t");
    let told = complaints(
        "pg_dump: error: aborting because of server version mismatch\n\
         pg_dump: detail: server version: 18.1; pg_dump version: 15.18",
    );
    assert!(told.contains("18.1"), "{told}");
    let told = complaints(
        "pg_dump: error: connection to server at \"h\", port 1 failed: FATAL:  no such database",
    );
    assert!(told.contains("no such database"), "{told}");
    for stderr in [
        "pg_dump: error: query failed: ERROR:  SECRET\nDETAIL:  Failing row contains (SECRET).",
        "pg_dump: error: query failed: FEHLER:  SECRET",
        "pg_dump: warning: SECRET",
        "SECRET",
    ] {
        let told = complaints(stderr);
        assert!(
            !told.contains("SECRET") && told.contains("server's log"),
            "{told}"
        );
    }
}
