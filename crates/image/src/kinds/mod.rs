pub(crate) mod disk;
