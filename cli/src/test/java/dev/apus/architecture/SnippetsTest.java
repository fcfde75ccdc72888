package dev.apus.architecture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.module.ModuleDescriptor;
import java.net.URI;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The Java of the documentation compiles. */
class SnippetsTest {

  private static final Pattern BLOCK = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);

  /** What snippets speak of without saying where they have it from. */
  private static final String GIVEN =
      """
      Model model;
      Session session;
      Sampling sampling;
      PullListener listener;
      Path path;
      int[] tokens;
      String prompt;
      String schema;
      Chat chat;
      String use(ToolCall call) { return ""; }
      """;

  private static final List<String> OF_THE_JDK =
      List.of("java.nio.charset", "java.nio.file", "java.util", "java.util.stream");

  /** One block of one page. */
  record Snippet(String page, int number, String code) {
    @Override
    public String toString() {
      return page + " " + number;
    }
  }

  static List<Snippet> snippets() throws IOException {
    Path root = Path.of("..").toAbsolutePath().normalize();
    List<Snippet> snippets = new ArrayList<>();
    List<Path> pages = new ArrayList<>(List.of(root.resolve("README.md")));
    try (Stream<Path> docs = Files.list(root.resolve("docs"))) {
      docs.filter(page -> page.toString().endsWith(".md")).sorted().forEach(pages::add);
    }
    for (Path page : pages) {
      Matcher blocks = BLOCK.matcher(Files.readString(page));
      for (int number = 1; blocks.find(); number++) {
        snippets.add(new Snippet(root.relativize(page).toString(), number, blocks.group(1)));
      }
    }
    return snippets;
  }

  @ParameterizedTest
  @MethodSource("snippets")
  void compiles(Snippet snippet, @TempDir Path out) throws IOException {
    assertEquals("", faults(snippet.code(), out));
  }

  @Test
  void faultsAreFound(@TempDir Path out) throws IOException {
    assertTrue(snippets().size() > 10);
    assertTrue(faults("model.lode();\n", out).contains("lode"), "an unknown method");
  }

  /** What the compiler says of statements. */
  private static String faults(String statements, Path out) throws IOException {
    String source =
        imports()
            + "class Snippet {\n"
            + GIVEN
            + "void run() throws Exception {\n"
            + statements
            + "}\n}\n";
    JavaFileObject file =
        new SimpleJavaFileObject(URI.create("string:///Snippet.java"), JavaFileObject.Kind.SOURCE) {
          @Override
          public CharSequence getCharContent(boolean ignoreErrors) {
            return source;
          }
        };
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    DiagnosticCollector<JavaFileObject> found = new DiagnosticCollector<>();
    try (StandardJavaFileManager files = compiler.getStandardFileManager(found, null, null)) {
      List<String> options =
          List.of("-d", out.toString(), "-proc:none", "-cp", System.getProperty("java.class.path"));
      compiler.getTask(null, files, found, options, null, List.of(file)).call();
    }
    return found.getDiagnostics().stream()
        .filter(fault -> fault.getKind() == Diagnostic.Kind.ERROR)
        .map(fault -> fault.getMessage(null))
        .collect(Collectors.joining("\n"));
  }

  /** Every package that is there for users. */
  private static String imports() throws IOException {
    List<String> packages = new ArrayList<>(OF_THE_JDK);
    ClassLoader loader = SnippetsTest.class.getClassLoader();
    for (URL url : Collections.list(loader.getResources("module-info.class"))) {
      try (var in = url.openStream()) {
        ModuleDescriptor module = ModuleDescriptor.read(in);
        if (module.name().startsWith("dev.apus.")) {
          module.exports().stream()
              .filter(exported -> !exported.isQualified())
              .forEach(exported -> packages.add(exported.source()));
        }
      }
    }
    return packages.stream().map(name -> "import " + name + ".*;\n").collect(Collectors.joining());
  }
}
