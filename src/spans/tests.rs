use proptest::prelude::*;

use super::*;

fn tags(pairs: &[(&str, &str)]) -> Vec<(CleanStr, CleanStr)> {
    pairs.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect()
}

fn span(id: &str, parent: Option<&str>, start: i64, is_error: bool) -> Span {
    Span {
        id: id.into(),
        parent: parent.map(CleanStr::new),
        service: "alipay".into(),
        operation: id.into(),
        start: DateTime::from_timestamp(1_780_000_000 + start, 0).unwrap(),
        duration: TimeDelta::seconds(1),
        outcome: if is_error { Outcome::Error(id.into()) } else { Outcome::Fine },
        ..Span::default()
    }
}

fn trace(spans: Vec<Span>) -> Trace {
    Trace { id: "t".into(), spans, warnings: Vec::new() }
}

#[test]
fn what_counts_as_an_error_follows_the_tags_that_are_really_sent() {
    let error = |text: &str| Outcome::Error(text.into());
    for (pairs, outcome) in [
        (vec![], Outcome::Fine),
        (vec![("error", "true")], error("error")),
        (vec![("error", "unset")], Outcome::Fine),
        (vec![("error", "Unset")], Outcome::Fine),
        (vec![("error", "")], Outcome::Fine),
        (vec![("error", "false")], Outcome::Fine),
        (vec![("error", "0")], Outcome::Fine),
        (vec![("error", "no")], Outcome::Fine),
        (vec![("error", "ok")], Outcome::Fine),
        (vec![("error", "none")], Outcome::Fine),
        (vec![("error", "null")], Outcome::Fine),
        (vec![("error", "ClientSideError")], error("ClientSideError")),
        (vec![("otel.status_code", "error")], error("error")),
        (vec![("otel.status_code", "OK"), ("error", "unset")], Outcome::Fine),
        (vec![("otel.status_code", "ERROR"), ("otel.status_description", "card declined")], error("card declined")),
        (vec![("http.status_code", "404")], Outcome::Fine),
        (vec![("http.response.status_code", "503")], error("HTTP 503")),
        (vec![("rpc.grpc.status_code", "14"), ("grpc.status_code", "Unavailable")], error("gRPC UNAVAILABLE")),
        (vec![("rpc.grpc.status_code", "0")], Outcome::Fine),
        (vec![("grpc.status_code", "Canceled")], error("gRPC CANCELLED")),
        (vec![("rpc.response.status_code", "UNKNOWN"), ("rpc.system", "grpc")], error("gRPC UNKNOWN")),
        (vec![("error.type", "TimeoutError")], error("TimeoutError")),
        (vec![("error.type", "404"), ("http.response.status_code", "404")], Outcome::Fine),
        (vec![("error.type", "TimeoutError"), ("http.response.status_code", "200")], Outcome::Fine),
        (vec![("error.type", "TimeoutError"), ("otel.status_code", "OK")], Outcome::Fine),
        (vec![("response_flags", "-")], Outcome::Fine),
        (vec![("response_flags", "DC")], Outcome::Fine),
        (
            vec![("response_flags", "UF,URX"), ("upstream_cluster", "outbound|8080||ledger-db")],
            error("no connection to the upstream (UF), all retries were used up (URX), outbound|8080||ledger-db"),
        ),
        (
            vec![("response_flags", "UT"), ("http.status_code", "504")],
            error("HTTP 504, the upstream did not answer in time (UT)"),
        ),
        (vec![("error", "true"), ("error.type", "TimeoutError")], error("TimeoutError")),
        (vec![("error", "true"), ("http.response.status_code", "503")], error("HTTP 503")),
        (vec![("error", "true"), ("exception.type", "Timeout")], error("Timeout")),
    ] {
        assert_eq!(outcome_of(&Status::Unset, &tags(&pairs), &[], &[]), outcome, "{pairs:?}");
    }
    assert_eq!(outcome_of(&Status::Error("no route".into()), &[], &[], &[]), error("no route"));
}

#[test]
fn an_exception_in_a_log_says_what_went_wrong_in_new_and_old_words() {
    for (fields, text) in [
        (vec![("event", "exception"), ("exception.type", "IOError"), ("exception.message", "reset")], "IOError: reset"),
        (vec![("event", "error"), ("message", "pool exhausted")], "pool exhausted"),
        (vec![("event", "error"), ("error.object", "java.net.SocketException")], "java.net.SocketException"),
        (vec![("event", "retry"), ("message", "again")], "error"),
    ] {
        let log = SpanLog { at: DateTime::UNIX_EPOCH, fields: tags(&fields) };
        let outcome = outcome_of(&Status::Unset, &tags(&[("error", "true")]), &[log], &[]);
        assert_eq!(outcome, Outcome::Error(text.into()));
    }
}

#[test]
fn a_waterfall_stands_in_order_and_shows_orphans_and_cut_rings_as_roots() {
    let spans = vec![
        span("late", Some("root"), 5, false),
        span("root", None, 0, false),
        span("early", Some("root"), 1, false),
        span("orphan", Some("gone"), 2, false),
        span("ring-b", Some("ring-a"), 4, false),
        span("ring-a", Some("ring-b"), 3, false),
        span("self", Some("self"), 9, false),
    ];
    let trace = trace(spans);
    let lines = trace.waterfall();
    let shown: Vec<_> =
        lines.iter().map(|line| (trace.spans[line.span].id.as_str(), line.depth, line.is_orphan)).collect();
    assert_eq!(
        shown,
        [
            ("root", 0, false),
            ("early", 1, false),
            ("late", 1, false),
            ("orphan", 0, true),
            ("self", 0, false),
            ("ring-a", 0, false),
            ("ring-b", 1, false)
        ]
    );
}

#[test]
fn a_slow_span_is_the_outermost_of_its_service() {
    let mut outer = span("outer", None, 0, false);
    outer.service = "web".into();
    outer.duration = TimeDelta::seconds(9);
    let mut middle = span("middle", Some("outer"), 1, false);
    middle.duration = TimeDelta::seconds(8);
    let mut inner = span("inner", Some("middle"), 2, false);
    inner.duration = TimeDelta::seconds(7);
    let slow = Some(TimeDelta::seconds(2));
    let watched = WatchedService { service: "alipay".into(), slow, ..WatchedService::default() };
    let Rows { errors, slow, .. } = trace(vec![inner, middle, outer]).rows(&[watched]);
    assert_eq!((errors.len(), slow.len(), slow[0].span.as_str()), (0, 1, "middle"));
}

#[test]
fn rows_are_grouped_with_their_rate_their_worst_and_their_middle() {
    let row = |trace: &str, operation: &str, at: i64, millis: i64| SpanRow {
        trace: trace.into(),
        span: "s".into(),
        service: "alipay".into(),
        operation: operation.into(),
        error: "timeout".into(),
        at: DateTime::from_timestamp(1_780_000_000 + at, 0).unwrap(),
        duration: TimeDelta::milliseconds(millis),
        ..SpanRow::default()
    };
    let rows = [row("a", "pay", 1, 30), row("b", "pay", 5, 10), row("c", "pay", 3, 20), row("d", "refund", 9, 1)];
    let groups = group(&rows, TimeDelta::seconds(60), SpanOrder::Count);
    assert_eq!(groups.len(), 2);
    let SpanGroup { count, rate, worst, median, example, .. } = &groups[0];
    assert_eq!((*count, *rate, worst.num_milliseconds(), median.num_milliseconds()), (3, 0.05, 30, 20));
    assert_eq!(example, "b");
    assert_eq!(group(&rows, TimeDelta::seconds(60), SpanOrder::Newest)[0].operation, "refund");
}

proptest! {
    #[test]
    fn any_parents_give_a_finite_waterfall_with_each_span_once(
        links in proptest::collection::vec((0..12_u8, proptest::option::of(0..14_u8), 0..5_i64, any::<bool>()), 0..40)
    ) {
        let spans = links.iter().map(|(id, parent, start, is_error)| {
            span(&id.to_string(), parent.map(|parent| parent.to_string()).as_deref(), *start, *is_error)
        });
        let trace = trace(spans.collect());
        let mut seen: Vec<_> = trace.waterfall().iter().map(|line| line.span).collect();
        seen.sort_unstable();
        prop_assert_eq!(seen, (0..trace.spans.len()).collect::<Vec<_>>());
        prop_assert!(trace.culprit().is_none_or(|span| trace.spans[span].is_error()));
        let watched = WatchedService { service: "alipay".into(), ..WatchedService::default() };
        let Rows { errors, .. } = trace.rows(&[watched]);
        prop_assert_eq!(errors.is_empty(), trace.culprit().is_none());
        prop_assert!(errors.len() <= trace.spans.len());
    }
}

/// A span of a service, in milliseconds, with an error where it has one.
fn of(id: &str, parent: Option<&str>, service: &str, from: i64, takes: i64, error: &str) -> Span {
    Span {
        service: service.into(),
        start: DateTime::from_timestamp_millis(1_780_000_000_000 + from).unwrap(),
        duration: TimeDelta::milliseconds(takes),
        outcome: if error.is_empty() { Outcome::Fine } else { Outcome::Error(error.into()) },
        ..span(id, parent, 0, false)
    }
}

/// A span's id with what is said of it.
type Said<T> = Vec<(String, T)>;

/// The causes with their words, and the roles of the others that failed.
fn told(trace: &Trace) -> (Said<String>, Said<Role>) {
    let verdict = trace.verdict(|_| true);
    let causes = verdict.causes.iter();
    let causes = causes.map(|cause| (trace.spans[cause.span].id.to_string(), trace.words(cause).to_string())).collect();
    let roles = verdict.roles.iter().enumerate();
    let others = roles.filter(|(_, role)| !matches!(role, Role::None | Role::Cause(_)));
    (causes, others.map(|(span, role)| (trace.spans[span].id.to_string(), *role)).collect())
}

#[test]
fn the_first_failure_is_to_blame_and_not_what_came_of_it() {
    let trace = trace(vec![
        of("order", None, "checkout", 0, 200, "order failed"),
        of("cart", Some("order"), "checkout", 5, 10, ""),
        of("charge", Some("order"), "checkout", 20, 40, "payment declined"),
        of("pay", Some("charge"), "payment", 22, 36, "card rejected"),
        of("send", Some("order"), "checkout", 120, 60, "order not found"),
        of("mail", Some("send"), "email", 122, 56, "order not found"),
    ]);
    let (causes, others) = told(&trace);
    assert_eq!(causes, [("pay".to_owned(), "card rejected".to_owned())]);
    let role = |id: &str| others.iter().find(|(known, _)| known == id).map(|(_, role)| *role);
    assert_eq!([role("order"), role("charge")], [Some(Role::Way(0)); 2]);
    assert_eq!([role("send"), role("mail")], [Some(Role::Consequence(0)); 2]);
    let watched = ["checkout", "email"].map(|service| WatchedService { service: service.into(), ..Default::default() });
    let Rows { errors, .. } = trace.rows(&watched);
    assert_eq!(errors.len(), 1, "one request, one cause");
    assert_eq!(errors[0].hurt, ["checkout", "email"]);
    assert!(errors[0].concerns(&["email".into()]) && !errors[0].concerns(&["ledger".into()]));
    assert_eq!(errors[0].way.iter().map(|step| step.operation.as_str()).collect::<Vec<_>>(), ["charge", "order"]);
}

#[test]
fn a_parent_whose_words_repeat_those_of_a_child_failed_of_that_one() {
    let trace = trace(vec![
        of("order", None, "checkout", 0, 200, "charge: card 41 rejected"),
        of("advice", Some("order"), "checkout", 5, 10, "no advice today"),
        of("pay", Some("order"), "checkout", 20, 40, "card 42 rejected"),
    ]);
    assert_eq!(told(&trace).0, [("pay".to_owned(), "card 42 rejected".to_owned())]);
}

#[test]
fn a_retry_that_was_made_good_is_no_cause_and_of_attempts_in_vain_the_last_is() {
    let attempt = |id: &str, from: i64, error: &str| Span {
        operation: "try".into(),
        ..of(id, Some("pay"), "pay", from, 10, error)
    };
    let good =
        trace(vec![of("pay", None, "pay", 0, 100, "no ledger"), attempt("a", 10, "reset"), attempt("b", 30, "")]);
    assert_eq!(told(&good), (vec![("pay".to_owned(), "no ledger".to_owned())], vec![("a".to_owned(), Role::MadeGood)]));
    let vain = trace(vec![
        of("pay", None, "pay", 0, 100, "no ledger"),
        attempt("a", 10, "reset"),
        attempt("b", 30, "refused"),
    ]);
    assert_eq!(told(&vain).0, [("b".to_owned(), "refused".to_owned())]);
    // The payment went well: nothing hurt it.
    let well = trace(vec![of("pay", None, "pay", 0, 100, ""), attempt("a", 10, "reset"), attempt("b", 30, "")]);
    let watched = WatchedService { service: "pay".into(), ..WatchedService::default() };
    let Rows { errors, mended, .. } = well.rows(&[watched]);
    assert_eq!((errors.len(), mended.len()), (0, 1));
}

#[test]
fn many_calls_that_went_well_make_one_that_failed_no_retry() {
    let call = |id: &str, from: i64, error: &str| Span {
        operation: "get".into(),
        ..of(id, Some("page"), "web", from, 10, error)
    };
    let calls = [call("a", 10, "boom"), call("b", 30, ""), call("c", 50, ""), call("d", 70, "")];
    let trace = trace([vec![of("page", None, "web", 0, 100, "")], calls.to_vec()].concat());
    let watched = WatchedService { service: "web".into(), ..WatchedService::default() };
    let Rows { errors, mended, .. } = trace.rows(&[watched]);
    assert_eq!((errors.len(), mended.len()), (1, 0));
}

#[test]
fn what_gave_up_names_whom_it_waited_for() {
    let mut proxy = of("proxy", None, "proxy", 0, 15_000, "HTTP 504, the upstream did not answer in time (UT)");
    proxy.http_status = Some(504);
    let egress = of("egress", Some("proxy"), "proxy", 1, 14_998, "HTTP 504");
    let front = of("POST", Some("egress"), "frontend", 2, 14_997, "");
    let (causes, others) = told(&trace(vec![proxy.clone(), egress.clone(), front.clone()]));
    assert_eq!(causes, [("POST".to_owned(), "proxy egress waited 15.0 s for it: HTTP 504".to_owned())]);
    assert_eq!(others, [("proxy".to_owned(), Role::Way(0)), ("egress".to_owned(), Role::Way(0))]);
    // It answered, too late: the one that gave up is shown, and whom it gave up on.
    let late = Span {
        duration: TimeDelta::seconds(20),
        http_status: Some(200),
        tags: tags(&[("http.status_code", "200")]),
        ..front
    };
    let causes = told(&trace(vec![proxy, egress, late])).0;
    assert_eq!(causes[0].0, "egress");
    assert!(causes[0].1.starts_with("waited 15.0 s for frontend POST, which answered later"), "{causes:?}");
}

#[test]
fn a_consumer_that_failed_after_the_answer_is_a_cause_of_its_own_and_says_when() {
    let sender = Span { kind: Kind::Producer, ..of("send", Some("order"), "shop", 10, 1, "") };
    let consumer = Span { kind: Kind::Consumer, ..of("book", Some("send"), "ledger", 5_000, 10, "poison") };
    let ok = trace(vec![of("order", None, "shop", 0, 100, ""), sender.clone(), consumer.clone()]);
    let causes = ok.verdict(|_| true).causes;
    assert_eq!((causes.len(), causes[0].span, causes[0].is_late), (1, 2, true));
    let failed = trace(vec![of("order", None, "shop", 0, 100, "card rejected"), sender, consumer]);
    let causes = failed.verdict(|_| true).causes;
    assert_eq!(causes.iter().map(|cause| (cause.span, cause.is_late)).collect::<Vec<_>>(), [(0, false), (2, true)]);
}

#[test]
fn what_lies_hours_away_squeezes_nothing() {
    let hours = 7 * 3_600_000;
    let trace = trace(vec![
        of("a", None, "shop", 0, 100, ""),
        of("b", Some("a"), "shop", 10, 50, ""),
        of("c", Some("a"), "ledger", hours, 10, ""),
        of("d", Some("c"), "ledger", hours, 5, ""),
        of("e", Some("gone"), "mail", -hours, 5, ""),
    ]);
    assert_eq!(trace.bounds(), Some((trace.spans[0].start, trace.spans[0].end())));
}

#[test]
fn failures_side_by_side_are_several_causes() {
    let both = trace(vec![
        of("page", None, "web", 0, 100, "half of it is missing"),
        of("price", Some("page"), "price", 10, 50, "no rate"),
        of("stock", Some("page"), "stock", 12, 60, "no shelf"),
    ]);
    assert_eq!(told(&both).0.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["price", "stock"]);
}

#[test]
fn errors_that_differ_in_numbers_ids_keys_and_addresses_are_one_kind_and_codes_are_not() {
    for (one, other) in [
        (r#"Key (id)=(884200) already exists."#, r#"Key (id)=(7) already exists."#),
        ("dial tcp 10.0.0.9:5432: refused", "dial tcp 10.12.0.77:6432: refused"),
        ("order 3f2504e0-4f89-11d3-9a0c-0305e82c3301 is gone", "order 9b2504e0-4f89-11d3-9a0c-0305e82c33ff is gone"),
        ("pod pay-7f9c6d5b8-x2xvq is gone", "pod pay-5d4f8c9b7-q8zkn is gone"),
        ("driver T7209 timed out after 250ms", "driver T7313 timed out after 1251ms"),
        ("no user ana@example.org", "no user b.c@shop.example.com"),
        ("pool exhausted (500 of 500 in use)", "pool exhausted (431 of 500 in use)"),
        ("lock 2026-11-30T10:12:01Z", "lock 2026-11-30T10:12:44Z"),
    ] {
        assert_eq!(kinds::template(one), kinds::template(other));
        let once = kinds::template(one);
        assert_eq!(kinds::template(&once), once, "a template is its own");
    }
    for (one, other) in [
        ("HTTP 502", "HTTP 503"),
        ("psycopg2.errors.UniqueViolation", "psycopg3.errors.UniqueViolation"),
        ("db1 refused", "db2 refused"),
        ("errno 111", "errno 110"),
        ("504 upstream did not answer", "503 upstream did not answer"),
        ("refresh: 401 token expired", "refresh: 403 token expired"),
        ("gateway answered 504", "gateway answered 502"),
    ] {
        assert_ne!(kinds::template(one), kinds::template(other));
    }
    assert_eq!(kinds::template("dial tcp 10.0.0.9:5432: refused"), "dial tcp *: refused");
    assert_eq!(kinds::operation(&"GET /orders/8842/items".into()), "GET /orders/*/items");
    assert_eq!(kinds::operation(&"GET /v1/pay".into()), "GET /v1/pay");
}

/// A trace of OpenTelemetry's demo shop, as its failure flags make them: service, operation, parent, begin and length in milliseconds, tags, error.
type DemoSpan = (&'static str, &'static str, &'static str, &'static str, i64, i64, Kind, &'static str);

fn demo(spans: &[DemoSpan]) -> Trace {
    let made = spans.iter().map(|(id, parent, service, operation, from, takes, kind, error)| Span {
        operation: (*operation).into(),
        kind: *kind,
        ..of(id, (!parent.is_empty()).then_some(*parent), service, *from, *takes, error)
    });
    trace(made.collect())
}

#[test]
fn what_each_failure_flag_of_the_demo_shop_breaks_is_named_from_its_trace_alone() {
    use Kind::{Client, Internal, Server};
    let invalid = "Payment request failed. Invalid token. app.loyalty.level=gold";
    let charge = "could not charge the card: rpc error: code = Unknown desc = Payment request failed. Invalid token. app.loyalty.level=gold";
    let payment_failure = demo(&[
        ("a", "", "load-generator", "user_checkout_single", 0, 400, Internal, ""),
        ("b", "a", "frontend-proxy", "ingress", 5, 390, Server, "HTTP 500"),
        ("c", "b", "frontend", "POST /api/checkout", 10, 380, Server, charge),
        ("d", "c", "checkout", "oteldemo.CheckoutService/PlaceOrder", 20, 360, Server, charge),
        ("e", "d", "cart", "POST /oteldemo.CartService/GetCart", 25, 10, Server, ""),
        ("f", "d", "checkout", "oteldemo.PaymentService/Charge", 60, 300, Client, invalid),
        ("g", "f", "payment", "grpc.oteldemo.PaymentService/Charge", 70, 280, Server, invalid),
        ("h", "g", "payment", "charge", 80, 20, Internal, invalid),
    ]);
    let storage =
        "FailedPrecondition: Can't access cart storage. System.ApplicationException: Wasn't able to connect to redis";
    let cart_failure = demo(&[
        ("a", "", "frontend-proxy", "ingress", 0, 90, Server, "HTTP 500"),
        ("b", "a", "frontend", "DELETE /api/cart", 5, 80, Server, storage),
        ("c", "b", "cart", "POST /oteldemo.CartService/EmptyCart", 10, 60, Server, storage),
        ("d", "b", "flagd", "flagd.evaluation.v1.Service/ResolveBoolean", 6, 2, Client, ""),
    ]);
    let unreachable = "transport: Error while dialing: dial tcp: lookup badAddress: no such host";
    let payment_unreachable = demo(&[
        (
            "a",
            "",
            "frontend",
            "POST /api/checkout",
            0,
            200,
            Server,
            "failed to charge card: could not charge the card: rpc error: code = Unavailable",
        ),
        (
            "b",
            "a",
            "checkout",
            "oteldemo.CheckoutService/PlaceOrder",
            10,
            180,
            Server,
            "failed to charge card: could not charge the card: rpc error: code = Unavailable",
        ),
        ("c", "b", "checkout", "oteldemo.PaymentService/Charge", 60, 100, Client, unreachable),
    ]);
    let mut timeout = demo(&[
        ("a", "", "frontend-proxy", "ingress", 0, 15_000, Server, "the upstream did not answer in time (UT)"),
        ("b", "a", "frontend", "GET /api/recommendations", 5, 40_000, Server, ""),
        ("c", "b", "recommendation", "/oteldemo.RecommendationService/ListRecommendations", 10, 39_900, Server, ""),
        ("d", "c", "recommendation", "get_product_list", 20, 39_800, Internal, ""),
    ]);
    timeout.spans[0].tags = tags(&[("response_flags", "UT"), ("http.status_code", "504")]);
    for (flag, trace, blamed) in [
        ("paymentFailure", &payment_failure, ("payment", "charge")),
        ("cartFailure", &cart_failure, ("cart", "POST /oteldemo.CartService/EmptyCart")),
        ("paymentUnreachable", &payment_unreachable, ("checkout", "oteldemo.PaymentService/Charge")),
        ("recommendationCache", &timeout, ("recommendation", "get_product_list")),
    ] {
        let verdict = trace.verdict(|_| true);
        let cause = &trace.spans[verdict.causes[0].span];
        assert_eq!(
            (cause.service.as_str(), cause.operation.as_str()),
            blamed,
            "{flag}: {}",
            trace.words(&verdict.causes[0])
        );
        let reaches_the_user = verdict.causes[0].way.last().map(|span| trace.spans[*span].service.as_str());
        assert!(matches!(reaches_the_user, Some("frontend-proxy" | "frontend")), "{flag}: {reaches_the_user:?}");
    }
    // adHighCpu fails nothing: what takes the time does it itself.
    let high_cpu = demo(&[
        ("a", "", "frontend", "GET /api/data", 0, 2_300, Server, ""),
        ("b", "a", "ad", "oteldemo.AdService/GetAds", 10, 2_280, Server, ""),
        ("c", "b", "ad", "getAdsByCategory", 15, 4, Internal, ""),
        ("d", "b", "ad", "getRandomAds", 2_250, 6, Internal, ""),
    ]);
    assert_eq!(high_cpu.verdict(|_| true).causes, []);
    let own = high_cpu.own_times();
    let most = (0..own.len()).max_by_key(|span| own[*span]).unwrap();
    assert_eq!(
        (high_cpu.spans[most].operation.as_str(), own[most].num_milliseconds()),
        ("oteldemo.AdService/GetAds", 2_270)
    );
    let longest = high_cpu.critical_path().into_iter().max_by_key(|section| section.until - section.from).unwrap();
    assert_eq!(longest.span, most, "and the request waited for it");
}
