//! The status: how well the service works, by its own probes and by what people say of it.
//!
//! Owns what probes came to, day by day, and the picture that everybody is shown. Must never name a partner, or count
//! a minute as good in which nobody looked.

mod day;
mod picture;
mod record;

pub use day::{HourTally, Latest, UptimeDay};
pub use picture::{ComponentPicture, DAYS, Picture, picture};
pub use record::{Probed, record};
