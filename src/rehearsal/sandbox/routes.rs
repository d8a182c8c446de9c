//! The routes, and what each of them does.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Path, Request, State};
use axum::http::{HeaderMap, Method, Uri};
use axum::middleware::{Next, from_fn_with_state};
use axum::routing::{get, post};
use serde_json::{Value, json};

use super::gate::{self, HttpResponse};
use super::request::{self, Asked};
use super::wire::ConnectionLoss;
use super::{ASSISTANT, LINE, analytics, query, render};
use crate::rehearsal::sandbox::state::ServerState;
use crate::rehearsal::world::answer::{Answer as Came, Refusal, Reply, limits_json};
use crate::rehearsal::world::call::NewCall;
use crate::rehearsal::world::{FakeProvider, is_missing};
use crate::time::Stamp;

/// A body is no larger than this.
const LARGEST_BODY: usize = 256 * 1024;

/// What every route needs.
pub(super) struct Routes {
    pub(super) desk: Arc<ServerState>,
    pub(super) key: Option<String>,
    pub(super) base: String,
}

type Shared = State<Arc<Routes>>;
type Body = Result<Bytes, BytesRejection>;

pub(super) fn router(house: Arc<Routes>) -> Router {
    Router::new()
        .route("/call", get(list_calls).post(place_calls))
        .route("/call/{id}", get(read_call).patch(rename_call).delete(erase_call))
        .route("/analytics", post(analyse))
        .route("/{kind}", get(list_things))
        .route("/{kind}/{id}", get(read_thing))
        .route("/{id}/control", post(control))
        .fallback(nowhere)
        .method_not_allowed_fallback(nowhere)
        .layer(from_fn_with_state(Arc::clone(&house), at_the_edge))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(house)
}

impl Routes {
    fn now(&self) -> Stamp {
        self.desk.with(|_, now| now)
    }

    /// Does something for the organisation whose key came.
    fn keyed(
        &self,
        headers: &HeaderMap,
        work: impl FnOnce(&mut FakeProvider, Stamp, usize) -> HttpResponse,
    ) -> HttpResponse {
        self.desk.with(|world, now| match gate::organisation(self, headers, world.orgs()) {
            Some(org) => work(world, now, org),
            None => gate::wrong_key(now),
        })
    }

    /// Reads something for it, if this read meets no fault.
    fn read(
        &self,
        headers: &HeaderMap,
        work: impl FnOnce(&mut FakeProvider, Stamp, usize) -> HttpResponse,
    ) -> HttpResponse {
        self.keyed(
            headers,
            |world, now, org| {
                if world.read_fails() { gate::error(500, now) } else { work(world, now, org) }
            },
        )
    }
}

async fn at_the_edge(State(house): Shared, request: Request, next: Next) -> HttpResponse {
    match gate::edge(request.headers(), house.now()) {
        Some(denied) => denied,
        None => next.run(request).await,
    }
}

async fn nowhere(State(house): Shared, method: Method, uri: Uri) -> HttpResponse {
    gate::refused(&Refusal::new(404, format!("Cannot {method} {}", uri.path())), house.now())
}

async fn place_calls(
    State(house): Shared,
    ConnectInfo(cut): ConnectInfo<ConnectionLoss>,
    headers: HeaderMap,
    body: Body,
) -> HttpResponse {
    let orgs = house.desk.with(|world, _| world.orgs());
    let Some(org) = gate::organisation(&house, &headers, orgs) else { return gate::wrong_key(house.now()) };
    let came = match read_body(body).and_then(|body| request::asked(&body)) {
        Err(refusal) => return gate::refused(&refusal, house.now()),
        Ok(Asked::One(new)) => house.desk.send(org, *new).reply().await.and_then(|reply| house.single(org, reply)),
        Ok(Asked::Batch(customers)) => house.batch(org, customers).await,
    };
    // Nothing came, or nothing to be told: the connection closes without an answer.
    came.unwrap_or_else(|| {
        cut.now();
        gate::error(500, house.now())
    })
}

impl Routes {
    /// The answer to a request for one call; nothing if it is lost.
    fn single(&self, org: usize, reply: Reply) -> Option<HttpResponse> {
        match reply.answer {
            Came::Created(call, limits) => {
                let org = self.desk.with(|world, _| world.org_id(org));
                Some(gate::answer(201, &render::call(&call, &org, &self.base, limits.as_ref()), reply.left))
            }
            Came::Refused(refusal) => Some(gate::refused(&refusal, reply.left)),
            Came::Error(status) => Some(gate::error(status, reply.left)),
            Came::Html(status) => Some(gate::page(status, reply.left)),
            Came::Dropped => None,
        }
    }

    /// The one answer to a batch, once all of it is done. What loses the answer of one loses it for all.
    async fn batch(&self, org: usize, customers: Vec<(Value, Result<NewCall, Refusal>)>) -> Option<HttpResponse> {
        let owner = self.desk.with(|world, _| world.org_id(org));
        let hand_in = |(customer, new): (Value, Result<NewCall, _>)| {
            let on_its_way = new.map(|new| self.desk.send(org, new));
            (customer, on_its_way)
        };
        let posts: Vec<_> = customers.into_iter().map(hand_in).collect();
        let (mut results, mut errors, mut limits, mut lost) = (Vec::new(), Vec::new(), None, None);
        for (customer, post) in posts {
            let came = match post {
                Err(refusal) => Came::Refused(refusal),
                Ok(post) => post.reply().await?.answer,
            };
            match came {
                Came::Created(call, at_its_end) => {
                    results.push(render::call(&call, &owner, &self.base, None));
                    limits = at_its_end.or(limits);
                }
                Came::Refused(refusal) => {
                    limits = refusal.limits.or(limits);
                    errors.push(json!({ "customer": customer, "error": refusal.message }));
                }
                Came::Error(_) | Came::Html(_) | Came::Dropped => lost = Some(came),
            }
        }
        let now = self.now();
        match lost {
            Some(Came::Error(status)) => return Some(gate::error(status, now)),
            Some(Came::Html(status)) => return Some(gate::page(status, now)),
            Some(_) => return None,
            None => {}
        }
        let mut body = json!({ "results": results, "errors": errors });
        if let Some(limits) = limits {
            body["subscriptionLimits"] = limits_json(&limits);
        }
        Some(gate::answer(201, &body, now))
    }
}

async fn list_calls(State(house): Shared, headers: HeaderMap, uri: Uri) -> HttpResponse {
    house.read(&headers, |world, now, org| match query::filter(uri.query().unwrap_or_default()) {
        Err(refusal) => gate::refused(&refusal, now),
        Ok(filter) => {
            let (id, wrong) = (world.org_id(org), world.read_stamps());
            let calls = world.list(now, org, &filter).into_iter();
            let shown = calls.map(|call| render::call(&call.shifted(wrong.calls), &id, &house.base, None));
            gate::answer(200, &Value::Array(shown.collect()), now.shifted(wrong.date))
        }
    })
}

async fn read_call(State(house): Shared, headers: HeaderMap, Path(id): Path<String>) -> HttpResponse {
    house.read(&headers, |world, now, org| {
        let owner = world.org_id(org);
        match world.get(now, org, &id) {
            Some(call) => gate::answer(200, &render::call(call, &owner, &house.base, None), now),
            None => not_found("Call", &id, now),
        }
    })
}

async fn rename_call(State(house): Shared, headers: HeaderMap, Path(id): Path<String>, body: Body) -> HttpResponse {
    house.keyed(&headers, |world, now, org| {
        let name = match read_body(body).and_then(|body| request::renamed(&body)) {
            Ok(name) => name,
            Err(refusal) => return gate::refused(&refusal, now),
        };
        let owner = world.org_id(org);
        match world.rename(now, org, &id, name.as_deref()) {
            Some(call) => gate::answer(200, &render::call(call, &owner, &house.base, None), now),
            None => not_found("Call", &id, now),
        }
    })
}

async fn erase_call(State(house): Shared, headers: HeaderMap, Path(id): Path<String>) -> HttpResponse {
    house.keyed(&headers, |world, now, org| {
        let owner = world.org_id(org);
        match world.erase(now, org, &id) {
            Some(call) => gate::answer(200, &render::call(call, &owner, &house.base, None), now),
            None => not_found("Call", &id, now),
        }
    })
}

async fn control(State(house): Shared, Path(id): Path<String>, body: Body) -> HttpResponse {
    let order = read_body(body).and_then(|body| request::object(&body));
    house.desk.with(|world, now| match order {
        Err(refusal) => gate::refused(&refusal, now),
        Ok(order) if order.get("type") != Some(&json!("end-call")) => {
            gate::refused(&Refusal::new(400, "type: this sandbox does end-call and nothing else"), now)
        }
        Ok(_) if world.hang_up(now, &id) => gate::answer(200, &json!({}), now),
        Ok(_) => not_found("Call", &id, now),
    })
}

async fn analyse(State(house): Shared, headers: HeaderMap, body: Body) -> HttpResponse {
    house.read(&headers, |world, now, org| {
        match read_body(body).and_then(|body| analytics::answer(&body, world, now, org)) {
            Ok(results) => gate::answer(200, &results, now),
            Err(refusal) => gate::refused(&refusal, now),
        }
    })
}

async fn list_things(
    State(house): Shared,
    headers: HeaderMap,
    method: Method,
    Path(kind): Path<String>,
) -> HttpResponse {
    house.read(&headers, |world, now, org| {
        let owner = world.org_id(org);
        match thing(&kind, if kind == "phone-number" { LINE } else { ASSISTANT }, &owner, world.began()) {
            Some(shown) => gate::answer(200, &json!([shown]), now),
            None => gate::refused(&Refusal::new(404, format!("Cannot {method} /{kind}")), now),
        }
    })
}

async fn read_thing(
    State(house): Shared,
    headers: HeaderMap,
    method: Method,
    Path((kind, id)): Path<(String, String)>,
) -> HttpResponse {
    house.read(&headers, |world, now, org| match thing(&kind, &id, &world.org_id(org), world.began()) {
        None => gate::refused(&Refusal::new(404, format!("Cannot {method} /{kind}/{id}")), now),
        Some(_) if is_missing(&id) => not_found(&kind, &id, now),
        Some(shown) => gate::answer(200, &shown, now),
    })
}

fn thing(kind: &str, id: &str, org: &str, since: Stamp) -> Option<Value> {
    match kind {
        "assistant" | "squad" | "workflow" => Some(render::target(kind, id, org, since)),
        "phone-number" => Some(render::line(id, org, since)),
        _ => None,
    }
}

fn not_found(kind: &str, id: &str, now: Stamp) -> HttpResponse {
    gate::refused(&Refusal::new(404, format!("{kind} {id} does not exist.")), now)
}

fn read_body(body: Body) -> Result<Bytes, Refusal> {
    body.map_err(|_| Refusal::new(413, format!("the body cannot be read, or is larger than {LARGEST_BODY} bytes")))
}
