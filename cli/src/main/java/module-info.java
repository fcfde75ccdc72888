/** The {@code apus} command. */
module dev.apus.cli {
  requires dev.apus.core;
  requires dev.apus.diffusion;
  requires dev.apus.fable;
  requires dev.apus.moe;
  requires dev.apus.structure;
  requires info.picocli;
  requires java.xml;
  requires jdk.jfr;
  requires me.tongfei.progressbar;
  requires org.jline.reader;

  opens dev.apus.cli to
      info.picocli;
}
