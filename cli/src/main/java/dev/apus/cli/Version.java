package dev.apus.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;
import picocli.CommandLine.IVersionProvider;

/** What {@code apus --version} prints: the build, and what it runs on. */
final class Version implements IVersionProvider {

  @Override
  public String[] getVersion() {
    return new String[] {"Apus " + ofBuild(), "Java " + Runtime.version() + ", " + home()};
  }

  private static String ofBuild() {
    try (InputStream in = Version.class.getResourceAsStream("build.properties")) {
      Properties build = new Properties();
      build.load(in);
      return build.getProperty("version");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String home() {
    return System.getProperty("java.home");
  }
}
