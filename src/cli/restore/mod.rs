//! `dr restore`: for real. Finds everything from a vault alone, shows the plan, asks, executes,
//! resumes.

mod args;
mod ask;
mod confirm;
mod done;
mod next;
mod request;
mod show;

pub use args::Args;

use confirm::not_confirmed;

use super::answer::{Answer, Outcome};
use crate::operations::Surroundings;
use crate::operations::restore::{beforehand, choose, execute, options, reach, upload, warnings};
use serde_json::json;

pub async fn run(around: Surroundings<'_>, args: &Args) -> Outcome {
    let began = around.world.now();
    let request = request::request(args)?;
    let places = reach(around.world, &request).await?;
    let mut answer = Answer::new("dr/restore/1", places.measured_on());
    answer.findings = warnings(around.world, &places);
    if let Some(file) = &args.upload_journal {
        let uploaded = upload(&places, file).await?;
        answer.line(format!(
            "{} entries are in the vault as run {} at {}; the restore had {}",
            uploaded.entries,
            uploaded.run,
            uploaded.target,
            if uploaded.finished {
                "finished"
            } else {
                "not finished"
            }
        ));
        answer.set("executed", false);
        answer.set(
            "uploaded",
            json!({
                "run": uploaded.run, "entries": uploaded.entries, "target": uploaded.target,
                "after": uploaded.after,
            }),
        );
        answer.findings.extend(uploaded.findings);
        return Ok(answer);
    }
    let all = options(&places, args.before);
    let Some(method) = request.method else {
        show::reachable(&mut answer, &all);
        return Ok(answer);
    };
    let choice = choose(&places, &all, method, &request).await?;
    answer.findings.extend(choice.doubt());
    let found = beforehand(&places, &choice).await;
    answer.findings.extend(found.findings);
    show::plan(&mut answer, &choice, &found.differs);
    if !ask::confirmed(around.world, args, &choice).await? {
        answer.findings.push(not_confirmed(&choice));
        answer.set("executed", false);
        return Ok(answer);
    }
    let restored = execute(around, &request, &places, &choice, began).await?;
    done::done(&mut answer, &choice, restored);
    Ok(answer)
}
