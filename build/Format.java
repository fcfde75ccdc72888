import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.spi.ToolProvider;

/**
 * Checks or rewrites the format of every Java file of the project. The build starts it in a JVM of
 * its own, because Maven may run on a JDK that is too old to parse the sources.
 *
 * <p>Arguments: {@code check} or {@code write}, and the project's folder.
 */
final class Format {

  public static void main(String[] args) throws IOException {
    boolean write = args[0].equals("write");
    List<String> arguments = new ArrayList<>();
    if (write) {
      arguments.add("--replace");
    } else {
      arguments.addAll(List.of("--dry-run", "--set-exit-if-changed"));
    }
    List<Path> sources = sources(Path.of(args[1]));
    sources.forEach(source -> arguments.add(source.toString()));

    ToolProvider formatter = ToolProvider.findFirst("google-java-format").orElseThrow();
    StringWriter out = new StringWriter();
    PrintWriter err = new PrintWriter(System.err, true);
    int status = formatter.run(new PrintWriter(out, true), err, arguments.toArray(String[]::new));
    if (status != 0) {
      System.err.println("These files are not formatted (or do not parse):");
      System.err.print(out.toString().indent(2));
      System.err.println("To format them: mvn -N -Pformat process-sources");
      System.exit(1);
    }
    System.out.println(
        (write ? "Formatted " : "Checked the format of ") + sources.size() + " files");
  }

  private static List<Path> sources(Path root) throws IOException {
    List<Path> sources = new ArrayList<>();
    Files.walkFileTree(
        root,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
            String name = folder.getFileName().toString();
            boolean skipped =
                !folder.equals(root) && (name.equals("target") || name.startsWith("."));
            return skipped ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            if (file.toString().endsWith(".java")) {
              sources.add(file);
            }
            return FileVisitResult.CONTINUE;
          }
        });
    return sources;
  }
}
