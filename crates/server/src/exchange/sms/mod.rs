//! SMS 短信, both ways, over an HTTP gateway the operator names (ZS-04): the resident texts, is answered, and hears how it goes on.
//!
//! Entry points: [`plain_routes`] (what the gateway calls), [`send`] (the job's side). Two gateways are spoken to, each
//! in a file: [`signed`] (JSON, signed both ways as in Standard Webhooks) and [`kannel`]. Both may call from the operator's list of addresses
//! only, and must show the secret. What a message means is the dialogue's matter. Must not: answer in the request that brought the message (an
//! answer is logged, tried again and reported on its own), or put a phone number or a text into an address.

mod http;
mod kannel;
mod send;
mod signed;

pub use http::plain_routes;
pub use send::{handed, send};
