//! A visitor and an agent who talk, with the brain that the widget and the dashboard run: what
//! happens to nodes while they do must not show.

use parlour_protocol::Id;

use crate::findings::Findings;
use crate::load::{self, Account};
use crate::node::Builder;
use crate::stage::Settled;
use crate::{Agent, Cluster, Office, Redis, Visitor};

/// A conversation; the visitor is on the first node, the agent on the last.
pub struct Talk {
    /// The nodes.
    pub cluster: Cluster,
    /// Who works there.
    pub office: Office,
    /// Who asks.
    pub visitor: Visitor,
    /// Who answers.
    pub agent: Agent,
    /// The ticket.
    pub ticket: Id,
    account: Account,
}

impl Talk {
    /// Begins one on so many nodes.
    pub async fn begin(
        nodes: usize,
        redis: bool,
        settings: impl Fn(usize, Builder) -> Builder,
    ) -> Self {
        let redis = if redis {
            Some(Redis::start().await)
        } else {
            None
        };
        let (cluster, office) = Cluster::over(redis, nodes, settings).await;
        let visitor = Visitor::arrive(&cluster[0], &office.site).await;
        let agent = office.owner.at(&cluster[nodes - 1]).dashboard().await;
        let ticket = visitor.open("first").await;
        agent.join(ticket).await;
        let mut account = Account::default();
        let first = visitor.expect("first").await;
        account.texts.insert(first.cid, "first".into());
        account.acknowledged.insert(first.cid, first.seq);
        Self {
            cluster,
            office,
            visitor,
            agent,
            ticket,
            account,
        }
    }

    /// Both say something, and both see it.
    pub async fn goes_on(&mut self) {
        let number = self.account.texts.len();
        let (question, answer) = (format!("question {number}"), format!("answer {number}"));
        let asked = self.visitor.say(&question).await;
        self.agent.expect(self.ticket, &question).await;
        let answered = self.agent.say_in(self.ticket, &answer).await;
        self.visitor.expect(&answer).await;
        for (cid, text) in [(asked, question), (answered, answer)] {
            let seq = self.visitor.stored(self.ticket, cid).await;
            self.account.acknowledged.insert(cid, seq);
            self.account.texts.insert(cid, text);
        }
    }

    /// Both try to come back at once, as browsers do that are told of a network.
    pub async fn comes_back(&self) {
        for person in [&*self.visitor, &*self.agent] {
            person.command(|brain, now| brain.online(now));
        }
        self.visitor.live().await;
        self.agent.live().await;
    }

    /// Compares what both see with what is stored.
    pub async fn settle(&mut self) -> Settled {
        let history = load::history(&mut self.office.owner.browser, self.ticket).await;
        let mut findings = Findings::of(self.ticket, &self.account, &history);
        for (who, entries) in [
            ("the visitor", self.visitor.entries(self.ticket)),
            ("the agent", self.agent.entries(self.ticket)),
        ] {
            let seen = entries.iter().map(|event| (event.seq, event.cid));
            if !seen.eq(history.iter().map(|event| (event.seq, event.cid))) {
                let text = format!("{who} sees something else than is stored");
                findings.disordered.push(text);
            }
        }
        self.cluster.assert_well().await;
        load::check_database(self.cluster[0].data()).await;
        Settled {
            acknowledged: self.account.acknowledged.len() as u64,
            findings,
            ..Settled::default()
        }
    }
}
