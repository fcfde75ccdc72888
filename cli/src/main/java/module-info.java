/** The {@code apus} command. */
module dev.apus.cli {
  requires dev.apus.core;
  requires dev.apus.fable;
  requires info.picocli;
  requires jdk.jfr;

  opens dev.apus.cli to
      info.picocli;
}
