//! The practice cloud of `dr`.
