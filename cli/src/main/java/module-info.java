/** The {@code apus} command. */
module dev.apus.cli {
  requires dev.apus.core;
  requires dev.apus.fable;
  requires info.picocli;

  opens dev.apus.cli to
      info.picocli;
}
