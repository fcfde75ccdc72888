/** What tests of mixers have in common; nothing that runs a model needs it. */
module dev.apus.testing {
  requires transitive dev.apus.core;
  requires org.junit.jupiter.api;

  exports dev.apus.testing;
}
