/** The {@code apus} command. */
module dev.apus.cli {
  requires dev.apus.core;
  requires dev.apus.fable;
  requires info.picocli;
  requires java.xml;
  requires jdk.jfr;
  requires org.jline.reader;

  opens dev.apus.cli to
      info.picocli;
}
