//! What people do at a console, without a terminal.
