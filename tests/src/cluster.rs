//! Several nodes over one database and one Redis.

use std::ops::{Index, IndexMut};

use crate::database::url_of;
use crate::node::Builder;
use crate::{Node, Office, Redis, redis};

/// Nodes of one installation.
///
/// Over SQLite, which is not meant for it, they share the file by a link: good enough to test
/// what nodes tell one another.
#[derive(Debug)]
pub struct Cluster {
    nodes: Vec<Node>,
    redis: Option<Redis>,
}

impl Cluster {
    /// So many nodes without limits in the way of a test, all up and connected; and the office,
    /// opened on the first.
    pub async fn of(count: usize) -> (Self, Office) {
        Self::with(count, |node| node).await
    }

    /// The same, with settings.
    ///
    /// # Panics
    /// If a node does not start.
    pub async fn with(count: usize, settings: impl Fn(Builder) -> Builder) -> (Self, Office) {
        let redis = Some(Redis::start().await);
        Self::over(redis, count, |_, node| settings(node)).await
    }

    /// The same over this Redis or none, with settings for each node.
    ///
    /// # Panics
    /// If a node does not start.
    pub async fn over(
        redis: Option<Redis>,
        count: usize,
        settings: impl Fn(usize, Builder) -> Builder,
    ) -> (Self, Office) {
        let mut nodes: Vec<Node> = Vec::new();
        let mut office = None;
        for index in 0..count {
            let data = crate::node::folder();
            let mut builder = Node::with().unlimited();
            if let Some(redis) = &redis {
                builder = builder.set("REDIS_URL", redis.url());
            }
            let mut builder = settings(index, builder);
            if let Some(first) = nodes.first() {
                builder = match url_of(first.data()) {
                    Some(url) => builder.set("DATABASE_URL", url),
                    None => {
                        let file = data.path().join("parlour.db");
                        std::os::unix::fs::symlink(crate::database::file(first.data()), file)
                            .unwrap();
                        builder
                    }
                }
                .joins();
            }
            let node = builder.data(data).start().await;
            if redis.is_some() {
                redis::expect(&node, "up").await;
            }
            if office.is_none() {
                office = Some(Office::open(&node).await);
            }
            nodes.push(node);
        }
        (Self { nodes, redis }, office.expect("a node"))
    }

    /// Its nodes.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Its nodes, to start and to stop.
    pub fn nodes_mut(&mut self) -> &mut [Node] {
        &mut self.nodes
    }

    /// Their Redis.
    ///
    /// # Panics
    /// If they have none.
    pub fn redis(&mut self) -> &mut Redis {
        self.redis.as_mut().expect("a Redis")
    }

    /// Waits until all nodes say this of their Redis.
    pub async fn expect_redis(&self, state: &str) {
        for node in &self.nodes {
            redis::expect(node, state).await;
        }
    }

    /// Asserts that all are well.
    pub async fn assert_well(&self) {
        for node in &self.nodes {
            node.assert_well().await;
        }
    }
}

/// Makes another node of the installation that `first` is of.
///
/// # Panics
/// If the database cannot be shared.
#[must_use]
pub fn beside(first: &Node, builder: Builder) -> Builder {
    let data = crate::node::folder();
    let builder = match url_of(first.data()) {
        Some(url) => builder.set("DATABASE_URL", url),
        None => {
            let file = data.path().join("parlour.db");
            std::os::unix::fs::symlink(crate::database::file(first.data()), file).unwrap();
            builder
        }
    };
    builder.data(data)
}

impl Index<usize> for Cluster {
    type Output = Node;

    fn index(&self, index: usize) -> &Node {
        &self.nodes[index]
    }
}

impl IndexMut<usize> for Cluster {
    fn index_mut(&mut self, index: usize) -> &mut Node {
        &mut self.nodes[index]
    }
}
