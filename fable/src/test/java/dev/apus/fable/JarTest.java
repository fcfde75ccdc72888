package dev.apus.fable;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.module.Configuration;
import java.lang.module.ModuleFinder;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The model opens from a jar, as users have it, on the class path and on the module path. */
class JarTest {

  private static final String STORY = " a man was born to him, and";

  @TempDir private Path folder;

  @Test
  void opensFromAJarOnTheClassPath() throws Exception {
    List<URL> urls = new ArrayList<>();
    for (Path path : parts()) {
      urls.add(path.toUri().toURL());
    }
    try (var loader =
        new URLClassLoader(urls.toArray(URL[]::new), ClassLoader.getPlatformClassLoader())) {
      assertEquals(STORY, story(loader));
    }
  }

  @Test
  void opensFromAJarOnTheModulePath() throws Exception {
    ModuleFinder finder = ModuleFinder.of(parts().toArray(Path[]::new));
    ModuleLayer boot = ModuleLayer.boot();
    Configuration modules =
        boot.configuration().resolveAndBind(finder, ModuleFinder.of(), Set.of("dev.apus.fable"));
    ModuleLayer layer =
        boot.defineModulesWithOneLoader(modules, ClassLoader.getPlatformClassLoader());
    ClassLoader loader = layer.findLoader("dev.apus.fable");
    assertTrue(loader.loadClass(Fable.class.getName()).getModule().isNamed());
    assertEquals(STORY, story(loader));
  }

  /** What the model that a loader finds says first, asked through the public methods alone. */
  private static String story(ClassLoader loader) throws Exception {
    Class<?> samplings = loader.loadClass("dev.apus.core.generate.Sampling");
    Object greedy = samplings.getMethod("greedy").invoke(null);
    try (var model =
        (AutoCloseable) loader.loadClass(Fable.class.getName()).getMethod("open").invoke(null)) {
      var session = model.getClass().getMethod("newSession", int.class).invoke(model, 32);
      var tokens =
          (Stream<?>)
              session
                  .getClass()
                  .getMethod("generate", String.class, samplings)
                  .invoke(session, "Once upon a time", greedy);
      return tokens.limit(8).map(JarTest::text).collect(Collectors.joining());
    }
  }

  private static String text(Object token) {
    try {
      return (String) token.getClass().getMethod("text").invoke(token);
    } catch (ReflectiveOperationException e) {
      throw new AssertionError(e);
    }
  }

  /** What users have on their path: this module as a jar, and what it needs. */
  private List<Path> parts() throws Exception {
    Path classes = Path.of(Fable.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    List<Path> parts = new ArrayList<>();
    parts.add(Files.isDirectory(classes) ? jar(classes) : classes);
    String[] path = System.getProperty("java.class.path").split(File.pathSeparator);
    Arrays.stream(path)
        .map(Path::of)
        .filter(part -> !part.equals(classes))
        .filter(JarTest::isNeeded)
        .forEach(parts::add);
    return parts;
  }

  private static boolean isNeeded(Path part) {
    String name = part.getFileName().toString();
    return part.endsWith(Path.of("target", "classes"))
        || name.matches("(apus|jackson|slf4j)-.*\\.jar") && Files.exists(part);
  }

  private Path jar(Path classes) throws IOException {
    Path jar = folder.resolve("fable.jar");
    URI root = classes.toUri();
    try (OutputStream file = Files.newOutputStream(jar);
        JarOutputStream out = new JarOutputStream(file);
        Stream<Path> files = Files.walk(classes)) {
      for (Path path : files.filter(Files::isRegularFile).toList()) {
        out.putNextEntry(new JarEntry(root.relativize(path.toUri()).getPath()));
        Files.copy(path, out);
        out.closeEntry();
      }
    }
    return jar;
  }
}
