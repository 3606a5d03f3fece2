#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| officehours_fuzz::targets::zone(data, &officehours_fuzz::BOUND));
