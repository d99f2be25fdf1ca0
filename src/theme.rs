//! Roles and styles.
