package dev.apus.core.service;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.apus.core.family.Families;
import dev.apus.core.model.Mixers;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where services are looked for. */
class ServicesTest {

  @TempDir Path folder;

  private ClassLoader before;

  /** A service for this test alone. */
  public interface Greeting {
    String text();
  }

  /** A provider that the test class path tells of. */
  public static final class Hello implements Greeting {
    @Override
    public String text() {
      return "hello";
    }
  }

  /** A provider that only a file in the test's folder tells of. */
  public static final class Welcome implements Greeting {
    @Override
    public String text() {
      return "welcome";
    }
  }

  @BeforeEach
  void remember() throws IOException {
    before = Thread.currentThread().getContextClassLoader();
    Path services = Files.createDirectories(folder.resolve("META-INF/services"));
    Files.writeString(services.resolve(Greeting.class.getName()), Welcome.class.getName());
  }

  @AfterEach
  void restore() {
    Thread.currentThread().setContextClassLoader(before);
  }

  private static List<String> texts() {
    return Services.of(Greeting.class).stream().map(Greeting::text).toList();
  }

  private URL[] urls() throws IOException {
    return new URL[] {folder.toUri().toURL()};
  }

  /** It sees what the library's own loader sees as well, which is there once all the same. */
  @Test
  void theThreadsClassLoaderIsAskedToo() throws IOException {
    assertEquals(List.of("hello"), texts());
    try (var loader = new URLClassLoader(urls(), Greeting.class.getClassLoader())) {
      Thread.currentThread().setContextClassLoader(loader);
      assertEquals(List.of("hello", "welcome"), texts());
    }
  }

  @Test
  void aThreadWithoutAClassLoaderIsFine() {
    Thread.currentThread().setContextClassLoader(null);
    assertEquals(List.of("hello"), texts());
    assertEquals(Families.installed().names(), familiesOf(before));
    Mixers.installed();
  }

  private static List<String> familiesOf(ClassLoader loader) {
    Thread.currentThread().setContextClassLoader(loader);
    return Families.installed().names();
  }

  /** Its own copy of the service is another service; its providers would not fit. */
  @Test
  void aClassLoaderWithACopyOfTheServiceIsPassedOver() throws IOException {
    try (var loader = new Copying(urls())) {
      Thread.currentThread().setContextClassLoader(loader);
      assertEquals(List.of("hello"), texts());
    }
  }

  /** Loads this test's classes anew. */
  private static final class Copying extends URLClassLoader {

    Copying(URL[] urls) {
      super(urls, Greeting.class.getClassLoader());
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
      if (!name.startsWith(ServicesTest.class.getName())) {
        return super.loadClass(name, resolve);
      }
      Class<?> loaded = findLoadedClass(name);
      if (loaded != null) {
        return loaded;
      }
      try (InputStream in = getResourceAsStream(name.replace('.', '/') + ".class")) {
        byte[] bytes = in.readAllBytes();
        return defineClass(name, bytes, 0, bytes.length);
      } catch (IOException e) {
        throw new ClassNotFoundException(name, e);
      }
    }
  }
}
