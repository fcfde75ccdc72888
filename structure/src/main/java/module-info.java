/** Texts of a given form: JSON, JSON by a schema, and what a regular expression matches. */
module dev.apus.structure {
  requires transitive dev.apus.core;
  requires transitive com.fasterxml.jackson.databind;

  exports dev.apus.structure;
}
