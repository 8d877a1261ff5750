//! Pages for what could not be shown.

use axum::extract::Request;
use axum::http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use parlour_admin_templates::ErrorPage;
use url::form_urlencoded::byte_serialize;

use super::answer::{self, Wants};
use super::shell;

/// Turns refusals into pages where a browser asked for one, and who is not signed in towards
/// the door. What is a page already, and what scripts asked for, passes unchanged.
pub(super) async fn dress(request: Request, next: Next) -> Response {
    let wants = Wants::of(request.headers());
    let method = request.method().clone();
    let path = request
        .uri()
        .path_and_query()
        .map_or("/", |path| path.as_str())
        .to_owned();
    let response = next.run(request).await;
    let status = response.status();
    if wants == Wants::Data
        || !(status.is_client_error() || status.is_server_error())
        || is_page(&response)
    {
        return response;
    }
    if status == StatusCode::UNAUTHORIZED {
        return to_the_door(&method, &path);
    }
    let mut page = answer::html(status, &page(status, &path));
    for name in [ALLOW, RETRY_AFTER] {
        if let Some(value) = response.headers().get(&name) {
            page.headers_mut().insert(name, value.clone());
        }
    }
    page
}

fn is_page(response: &Response) -> bool {
    response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

/// To the sign-in page, and from there back to the page that was asked for. A form's address is
/// no page.
fn to_the_door(method: &Method, path: &str) -> Response {
    let back = (*method == Method::GET && path != "/")
        .then(|| answer::local_path(path))
        .flatten();
    match back {
        Some(path) => {
            let next: String = byte_serialize(path.as_bytes()).collect();
            answer::see_other(&format!("/sign-in?next={next}"))
        }
        None => answer::see_other("/sign-in"),
    }
}

/// The page of an error at `path`.
#[must_use]
pub fn page(status: StatusCode, path: &str) -> ErrorPage {
    let one_time = ["/setup/", "/invite/", "/reset/"]
        .iter()
        .any(|start| path.starts_with(start));
    if status == StatusCode::NOT_FOUND && one_time {
        // Unknown, used and too old look alike.
        return ErrorPage {
            title: "This link does not work".to_owned(),
            text: "Each link works once, for an hour. Ask for a new one if you need it.".to_owned(),
            action: Some(("/sign-in".to_owned(), "Sign in".to_owned())),
            ..ErrorPage::of(status.as_u16(), shell::bare())
        };
    }
    let words = match status {
        StatusCode::METHOD_NOT_ALLOWED => Some((
            "That cannot be done here",
            "Go back and use the page’s own buttons.",
        )),
        StatusCode::CONFLICT => Some((
            "That does not fit any more",
            "Something has changed meanwhile. Load the page again and look.",
        )),
        StatusCode::UNSUPPORTED_MEDIA_TYPE | StatusCode::UNPROCESSABLE_ENTITY => Some((
            "The form did not fit",
            "Go back, check what is in it, and send it once more.",
        )),
        _ => None,
    };
    let page = ErrorPage::of(status.as_u16(), shell::bare());
    match words {
        Some((title, text)) => ErrorPage {
            title: title.to_owned(),
            text: text.to_owned(),
            ..page
        },
        None => page,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_is_one_value_of_the_query() {
        let response = to_the_door(&Method::GET, "/tickets?state=open&site=1");
        assert_eq!(
            response.headers()["location"],
            "/sign-in?next=%2Ftickets%3Fstate%3Dopen%26site%3D1"
        );
        for (method, path) in [
            (Method::POST, "/tickets/1/state"),
            (Method::GET, "//evil.example"),
            (Method::GET, "/"),
        ] {
            assert_eq!(to_the_door(&method, path).headers()["location"], "/sign-in");
        }
    }
}
