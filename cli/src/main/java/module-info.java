/** The {@code apus} command. */
module dev.apus.cli {
  requires dev.apus.core;
  requires info.picocli;
}
