//! Cases 事件 from report to closing: the rules of the main loop. Each file is one subject; none reads time, files or a database.

pub mod clock;
