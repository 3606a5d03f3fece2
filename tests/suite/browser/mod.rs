//! A guest at a real browser. The pages are seen in Chromium, and a booking is lived through in Firefox too.

mod firefox;
mod frames;
mod grid;
mod life;
mod pages;
mod weight;
mod world;
