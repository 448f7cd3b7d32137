// Every function of this module is a static inline in a header; a C target needs one source file to exist.
typedef int clinux_translation_unit_is_not_empty;
