/** The small trained models that Apus ships, so that nothing need be downloaded. */
module dev.apus.fable {
  requires transitive dev.apus.core;

  exports dev.apus.fable;
}
