//! HTTP/1.1 by hand: a test decides about every header, also about those that must be missing.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use crate::within;

/// A request.
#[derive(Clone, Debug)]
pub struct Request {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    from: Option<IpAddr>,
}

impl Request {
    /// A request without headers beyond `Host`.
    #[must_use]
    pub fn new(method: &str, path: &str) -> Self {
        Self {
            method: method.into(),
            path: path.into(),
            headers: Vec::new(),
            body: Vec::new(),
            from: None,
        }
    }

    /// `GET`.
    #[must_use]
    pub fn get(path: &str) -> Self {
        Self::new("GET", path)
    }

    /// `POST`.
    #[must_use]
    pub fn post(path: &str) -> Self {
        Self::new("POST", path)
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The cookie of a browser.
    #[must_use]
    pub fn cookie(self, browser: &Browser) -> Self {
        match browser.cookie() {
            Some(cookie) => self.header("cookie", &cookie),
            None => self,
        }
    }

    /// Sends JSON.
    #[must_use]
    pub fn json(self, value: &Value) -> Self {
        self.header("content-type", "application/json")
            .body(value.to_string())
    }

    /// Sends a form.
    #[must_use]
    pub fn form(self, fields: &[(&str, &str)]) -> Self {
        let encoded: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{}={}", percent(name), percent(value)))
            .collect();
        self.header("content-type", "application/x-www-form-urlencoded")
            .body(encoded.join("&"))
    }

    /// Sends bytes.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Connects from another loopback address.
    #[must_use]
    pub fn from(mut self, address: IpAddr) -> Self {
        self.from = Some(address);
        self
    }

    /// Sends it and reads the whole answer.
    ///
    /// # Errors
    /// The connection failed, or ended before the answer did.
    pub async fn try_send(&self, to: SocketAddr) -> std::io::Result<Answer> {
        let mut stream = self.write(to).await?;
        let mut bytes = Vec::new();
        let read = stream.read_to_end(&mut bytes).await;
        Answer::parse(&bytes).ok_or_else(|| {
            read.err()
                .unwrap_or_else(|| std::io::ErrorKind::UnexpectedEof.into())
        })
    }

    /// Sends it, and leaves the answer to be read.
    pub(crate) async fn write(&self, to: SocketAddr) -> std::io::Result<TcpStream> {
        let mut stream = connect(to, self.from).await?;
        let mut head = format!(
            "{} {} HTTP/1.1\r\nconnection: close\r\n",
            self.method, self.path
        );
        if !self
            .headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("host"))
        {
            head.push_str(&format!("host: {to}\r\n"));
        }
        if !self.body.is_empty() || matches!(self.method.as_str(), "POST" | "PUT" | "PATCH") {
            head.push_str(&format!("content-length: {}\r\n", self.body.len()));
        }
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        stream.write_all(head.as_bytes()).await?;
        // A server that refuses early may close before it has read the body; its answer counts.
        let _ = stream.write_all(&self.body).await;
        Ok(stream)
    }

    /// Sends it and reads the whole answer.
    ///
    /// # Panics
    /// Without an answer within the deadline.
    pub async fn send(&self, to: SocketAddr) -> Answer {
        let what = format!("an answer to {} {}", self.method, self.path);
        within(&what, self.try_send(to))
            .await
            .unwrap_or_else(|error| panic!("{what}: {error}"))
    }
}

/// Connects, if need be from a chosen address.
///
/// # Errors
/// What the system says.
pub async fn connect(to: SocketAddr, from: Option<IpAddr>) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    if let Some(from) = from {
        socket.bind(SocketAddr::new(from, 0))?;
    }
    let stream = socket.connect(to).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, without the transfer's encoding.
    pub body: Vec<u8>,
}

impl Answer {
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
        let head = std::str::from_utf8(&bytes[..end]).ok()?;
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let mut answer = Self {
            status,
            headers,
            body: bytes[end + 4..].to_vec(),
        };
        if answer.header("transfer-encoding") == Some("chunked") {
            answer.body = dechunk(&answer.body)?;
        }
        Some(answer)
    }

    /// A header's value; the first one of its name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// If it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error} in {} {}", self.status, self.text()))
    }

    /// The `code` of a problem document, or nothing.
    #[must_use]
    pub fn code(&self) -> String {
        serde_json::from_slice::<Value>(&self.body)
            .ok()
            .and_then(|value| value["code"].as_str().map(str::to_owned))
            .unwrap_or_default()
    }

    /// The same answer, if its status is this one.
    ///
    /// # Panics
    /// If it is another.
    #[track_caller]
    #[must_use]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(
            self.status,
            status,
            "{}",
            self.text().chars().take(600).collect::<String>()
        );
        self
    }

    /// Headers and body as one text, to search for what must not be there.
    #[must_use]
    pub fn everything(&self) -> String {
        format!("{:?}\n{}", self.headers, self.text())
    }
}

fn dechunk(mut bytes: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = bytes.windows(2).position(|window| window == b"\r\n")?;
        let size = usize::from_str_radix(
            std::str::from_utf8(&bytes[..end])
                .ok()?
                .split(';')
                .next()?
                .trim(),
            16,
        )
        .ok()?;
        bytes = &bytes[end + 2..];
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(bytes.get(..size)?);
        bytes = bytes.get(size + 2..)?;
    }
}

fn percent(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// A browser on Parlour's own pages: keeps the cookie, sends the headers that browsers send.
#[derive(Clone, Debug)]
pub struct Browser {
    address: SocketAddr,
    origin: String,
    cookies: BTreeMap<String, String>,
    from: Option<IpAddr>,
}

impl Browser {
    /// A browser that nobody has signed in with.
    #[must_use]
    pub fn new(address: SocketAddr) -> Self {
        Self {
            address,
            origin: format!("http://{address}"),
            cookies: BTreeMap::new(),
            from: None,
        }
    }

    /// The same, from another loopback address.
    #[must_use]
    pub fn from(mut self, address: IpAddr) -> Self {
        self.from = Some(address);
        self
    }

    /// The same, on another node: a balancer sends it there.
    #[must_use]
    pub fn at(&self, node: &crate::Node) -> Self {
        Self {
            address: node.address(),
            origin: node.origin(),
            ..self.clone()
        }
    }

    /// The same, connected to the node itself where others go through a proxy.
    #[must_use]
    pub fn past_proxy(&self, node: &crate::Node) -> Self {
        Self {
            address: node.listens(),
            origin: node.origin(),
            ..self.clone()
        }
    }

    /// The `Cookie` header that it sends; nothing if it holds none.
    #[must_use]
    pub fn cookie(&self) -> Option<String> {
        let pairs: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    /// The value of the cookie that a sign-in stands behind.
    #[must_use]
    pub fn sign_in(&self) -> Option<&str> {
        self.cookies.get("__Host-parlour").map(String::as_str)
    }

    /// The origin of its pages.
    #[must_use]
    pub fn origin(&self) -> String {
        self.origin.clone()
    }

    /// Where the server is.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Opens a page.
    pub async fn get(&mut self, path: &str) -> Answer {
        self.send(Request::get(path).header("accept", "text/html"))
            .await
    }

    /// Sends a form.
    pub async fn form(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.send(Request::post(path).form(fields)).await
    }

    /// Calls the REST API.
    pub async fn call(&mut self, method: &str, path: &str, value: &Value) -> Answer {
        self.send(Request::new(method, path).json(value)).await
    }

    /// Reads from the REST API.
    pub async fn read(&mut self, path: &str) -> Answer {
        self.send(Request::get(path).header("accept", "application/json"))
            .await
    }

    /// Buys a token for one socket, of a server that may be down.
    ///
    /// # Errors
    /// The status of an answer that has none; 0 without an answer.
    pub async fn try_token(&self) -> Result<String, u16> {
        let request = Request::post("/api/v1/token")
            .cookie(self)
            .header("origin", &self.origin())
            .header("sec-fetch-site", "same-origin")
            .json(&serde_json::json!({}));
        let answer = request.try_send(self.address).await.map_err(|_| 0_u16)?;
        if answer.status != 200 {
            return Err(answer.status);
        }
        let token = answer.json()["token"].as_str().map(str::to_owned);
        token.ok_or(answer.status)
    }

    async fn send(&mut self, request: Request) -> Answer {
        let mut request = request
            .cookie(self)
            .header("origin", &self.origin())
            .header("sec-fetch-site", "same-origin");
        request.from = self.from;
        let answer = request.send(self.address).await;
        for (_, value) in answer
            .headers
            .iter()
            .filter(|(name, _)| name == "set-cookie")
        {
            let pair = value.split(';').next().unwrap_or_default();
            let (name, content) = pair.split_once('=').unwrap_or_default();
            if content.is_empty() || value.to_ascii_lowercase().contains("max-age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), content.to_owned());
            }
        }
        answer
    }
}
