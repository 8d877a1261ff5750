//! `parlour agent`.

use clap::Subcommand;

use super::{Desk, Failure, moment, say};
use crate::config::Config;
use crate::identity::{Actor, AgentRole};
use crate::store::agents::Agent;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List all agents: e-mail address, role, name
    List,
    /// Print a one-time link by which somebody becomes an agent; an older one becomes void
    Invite {
        /// Her e-mail address
        email: String,
        /// What she will be: admin or agent
        #[arg(long, value_name = "ROLE", default_value = "agent")]
        role: String,
    },
    /// Print a one-time link by which an agent, or the owner, sets a new password
    ResetLink {
        /// Her e-mail address
        email: String,
    },
    /// Disable an agent: her sign-ins end and her connections close within seconds
    Disable {
        /// Her e-mail address
        email: String,
    },
    /// Let a disabled agent sign in again
    Enable {
        /// Her e-mail address
        email: String,
    },
}

pub(super) async fn run(config: Config, command: Command) -> Result<(), Failure> {
    let desk = Desk::open(config).await?;
    let result = act(&desk, command).await;
    desk.close().await;
    say(&result?);
    Ok(())
}

async fn act(desk: &Desk, command: Command) -> Result<String, Failure> {
    let actor = Actor::CommandLine;
    match command {
        Command::List => Ok(desk.store.agents().await?.iter().map(line).collect()),
        Command::Invite { email, role } => {
            let role = AgentRole::parse(&role)
                .filter(|role| *role != AgentRole::Owner)
                .ok_or_else(|| {
                    Failure::Refused(format!("--role is {role:?}, but must be admin or agent"))
                })?;
            Ok(format!(
                "{}\n",
                desk.identity.invite(&actor, &email, role).await?.url
            ))
        }
        Command::ResetLink { email } => {
            let agent = find(desk, &email).await?;
            Ok(format!(
                "{}\n",
                desk.identity.reset_link(&actor, agent.id).await?.url
            ))
        }
        Command::Disable { email } => {
            let agent = find(desk, &email).await?;
            desk.identity.disable(&actor, agent.id).await?;
            Ok(format!("{} is disabled.\n", agent.email))
        }
        Command::Enable { email } => {
            let agent = find(desk, &email).await?;
            desk.identity.enable(&actor, agent.id).await?;
            Ok(format!("{} can sign in again.\n", agent.email))
        }
    }
}

async fn find(desk: &Desk, email: &str) -> Result<Agent, Failure> {
    let found = desk.store.agent_by_email(email).await?;
    found.map(|(agent, _)| agent).ok_or_else(|| {
        Failure::Refused(format!(
            "there is no agent with the e-mail address {email}; parlour agent list shows all"
        ))
    })
}

fn line(agent: &Agent) -> String {
    let disabled = agent
        .disabled_at
        .map(|at| format!("  disabled since {}", moment(at)))
        .unwrap_or_default();
    format!(
        "{}  {}  {}{disabled}\n",
        agent.email,
        agent.role.text(),
        agent.name
    )
}
