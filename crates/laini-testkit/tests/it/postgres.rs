use std::net::TcpStream;
use std::time::Instant;

use laini_testkit::postgres::{Server, ServerOptions, execute, fresh_database, value};

#[test]
fn each_test_has_a_database_of_its_own_that_goes_with_it() {
    let (one, other) = (fresh_database(), fresh_database());
    one.execute("CREATE TABLE mine (word text); INSERT INTO mine VALUES ('here')");
    assert_eq!(one.value("SELECT word FROM mine").as_deref(), Some("here"));
    assert_eq!(other.value("SELECT count(*) FROM pg_tables WHERE tablename = 'mine'").as_deref(), Some("0"));

    let name = one.value("SELECT current_database()").expect("a name");
    drop(one);
    let left = format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'");
    assert_eq!(other.value(&left).as_deref(), Some("0"));
}

#[test]
fn a_database_goes_although_somebody_uses_it() {
    let (one, other) = (fresh_database(), fresh_database());
    let (url, name) = (one.url(), one.value("SELECT current_database()").expect("a name"));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let user = runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.expect("a session");
        tokio::spawn(connection);
        client
    });
    drop(one);
    let left = format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'");
    assert_eq!(other.value(&left).as_deref(), Some("0"));
    drop(user);
}

#[test]
fn a_server_keeps_what_was_committed_when_it_is_killed_and_leaves_nothing_when_it_goes() {
    let begun = Instant::now();
    let options = ServerOptions::durable();
    let mut server = Server::start(&options);
    println!("a private server: {} ms", begun.elapsed().as_millis());

    let url = server.url();
    execute(&url, "CREATE TABLE kept (number int); INSERT INTO kept SELECT generate_series(1, 100)");
    server.kill();
    assert!(TcpStream::connect(("127.0.0.1", server.port())).is_err(), "a killed server answers");
    server.restart(&options);
    assert_eq!(value(&url, "SELECT count(*) FROM kept").as_deref(), Some("100"));

    let (data, port) = (server.data(), server.port());
    drop(server);
    assert!(!data.exists(), "{} is left", data.display());
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "a server that was dropped answers");
}

#[test]
fn many_databases_can_be_made_one_after_the_other() {
    const DATABASES: u32 = 10;
    let _first = fresh_database();
    let begun = Instant::now();
    for _ in 0..DATABASES {
        drop(fresh_database());
    }
    println!("a database, made and dropped: {} ms", begun.elapsed().as_millis() / u128::from(DATABASES));
}
