use super::*;
use crate::plan::tests::policy;
use crate::policy::Restore;

fn standing() -> ClusterShape {
    ClusterShape {
        instance_class: Name::new("db.serverless"),
        subnet_group: Some(Name::new("production")),
        security_groups: vec![Name::new("sg-app")],
        parameter_group: Some(Name::new("production-pg")),
        min_acu: Some(4.0),
        max_acu: Some(64.0),
    }
}

/// A policy that says what a restore makes.
fn prepared(change: impl Fn(&mut ClusterShape)) -> Policy {
    let mut cluster = standing();
    change(&mut cluster);
    Policy {
        restore: Some(Restore { cluster }),
        ..policy()
    }
}

fn nothing() -> ClusterDestination {
    ClusterDestination::default()
}

#[test]
fn what_the_policy_has_for_an_incident_comes_before_its_drill() {
    let drilled = shape(Some(&policy()), &nothing()).unwrap();
    assert_eq!(drilled, policy().drill.unwrap().cluster);
    let restored = shape(Some(&prepared(|_| {})), &nothing()).unwrap();
    assert_eq!(restored, standing());
    assert_eq!(shape(None, &nothing()), None, "nobody names a class");
}

#[test]
fn nothing_of_a_drills_networks_is_mixed_in() {
    let bare = prepared(|cluster| {
        cluster.subnet_group = None;
        cluster.security_groups.clear();
        cluster.parameter_group = None;
    });
    let made = shape(Some(&bare), &nothing()).unwrap();
    assert_eq!((made.subnet_group, made.parameter_group), (None, None));
    assert!(made.security_groups.is_empty());
}

#[test]
fn flags_come_before_the_policy() {
    let asked = ClusterDestination {
        subnet_group: Some(Name::new("elsewhere")),
        security_groups: vec![Name::new("sg-1"), Name::new("sg-2")],
        parameter_group: Some(Name::new("mine")),
        max_acu: Some(16.0),
        ..nothing()
    };
    let made = shape(Some(&prepared(|_| {})), &asked).unwrap();
    assert_eq!(
        made.to_string(),
        "db.serverless, 4 to 16 capacity units, subnet group elsewhere, security groups sg-1 and \
         sg-2, parameter group mine"
    );
}

#[test]
fn capacity_belongs_to_its_class() {
    let sized = ClusterDestination {
        instance_class: Some(Name::new("db.r6g.large")),
        ..nothing()
    };
    let made = shape(Some(&prepared(|_| {})), &sized).unwrap();
    assert_eq!(made.capacity(), None);
    assert_eq!(made.subnet_group, standing().subnet_group);
    assert!(made.check_capacity().is_ok());
    // And a policy whose class has a size knows no units for the one that was asked for.
    let serverless = ClusterDestination {
        instance_class: Some(Name::new("db.serverless")),
        ..nothing()
    };
    let of_size = prepared(|cluster| {
        cluster.instance_class = Name::new("db.r6g.large");
        (cluster.min_acu, cluster.max_acu) = (None, None);
    });
    let made = shape(Some(&of_size), &serverless).unwrap();
    assert!(made.check_capacity().is_err(), "say them with --min-acu");
}
