//! Exercises: the simulated world.
