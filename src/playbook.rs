//! Playbooks of services.
