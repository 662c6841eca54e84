//! `/openapi.json`, as it is served.

use crate::wire::request;
use crate::world::World;

const PATH: &str = "/openapi.json";

#[tokio::test]
async fn the_document_is_served_to_anybody_and_is_not_sent_twice() {
    let world = World::start().await;
    let reply = world.get(PATH).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.json(), laini_server::openapi::document());
    assert_eq!(reply.header("content-type"), Some("application/json;charset=UTF-8"));
    assert_eq!(reply.header("cache-control"), Some("public, no-cache"));
    let etag = reply.header("etag").unwrap().to_owned();
    for known in [etag.clone(), format!("\"other\", W/{etag}"), "*".to_owned()] {
        let again = world.send(request("GET", PATH, &format!("If-None-Match: {known}\r\n"), "")).await;
        assert_eq!((again.status, &*again.body, again.header("etag")), (304, "", Some(&*etag)), "{known}");
    }
    let changed = world.send(request("GET", PATH, "If-None-Match: \"other\"\r\n", "")).await;
    assert_eq!(changed.status, 200);
}
