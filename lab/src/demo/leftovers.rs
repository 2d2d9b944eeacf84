//! Processes that outlived a lab, of any kind.

use std::path::Path;

/// Processes other than this one that stand in a directory, name it in their command line, or are
/// our children.
pub fn processes_of(dir: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return 0;
    };
    let own = std::process::id();
    let numbers = entries.filter_map(|e| e.ok()?.file_name().to_str()?.parse::<u32>().ok());
    numbers
        .filter(|pid| {
            *pid != own
                && alive_child_of(*pid).is_some_and(|parent| parent == own || of_dir(*pid, dir))
        })
        .count()
}

/// The parent of a process; `None` where it is gone, or waits for nothing but its parent's
/// question.
fn alive_child_of(pid: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok()?;
    (!matches!(state, "Z" | "X")).then_some(parent)
}

fn of_dir(pid: u32, dir: &Path) -> bool {
    let stands =
        std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd.starts_with(dir));
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    stands
        || line
            .split(|b| *b == 0)
            .any(|word| String::from_utf8_lossy(word).contains(&*dir.to_string_lossy()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_and_a_process_in_the_directory_are_seen_until_they_are_gone() {
        let dir = std::env::temp_dir().join(format!("drl-left-{}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("made");
        let before = processes_of(&dir);
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .current_dir(&dir)
            .spawn()
            .expect("started");
        assert_eq!(processes_of(&dir), before + 1);
        child.kill().expect("killed");
        child.wait().expect("ended");
        assert_eq!(processes_of(&dir), before);
        std::fs::remove_dir_all(&dir).expect("removed");
    }
}
