package dev.apus.core.service;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;

/**
 * The services that modules provide.
 *
 * <p>Asked are this library's own class loader and the calling thread's: a container may keep a
 * library and what extends it apart.
 */
public final class Services {

  private Services() {}

  /**
   * Every provider of the service, each once.
   *
   * @throws java.util.ServiceConfigurationError if a provider cannot be made
   */
  public static <T> List<T> of(Class<T> service) {
    Map<String, ServiceLoader.Provider<T>> providers = new LinkedHashMap<>();
    ClassLoader own = service.getClassLoader();
    ClassLoader context = Thread.currentThread().getContextClassLoader();
    add(service, own, providers);
    if (context != null && context != own && knows(context, service)) {
      add(service, context, providers);
    }
    return providers.values().stream().<T>map(ServiceLoader.Provider::get).toList();
  }

  /** A loader with a service of the same name that is not this one has nothing to offer. */
  private static boolean knows(ClassLoader loader, Class<?> service) {
    try {
      return Class.forName(service.getName(), false, loader) == service;
    } catch (ClassNotFoundException e) {
      return false;
    }
  }

  private static <T> void add(
      Class<T> service, ClassLoader loader, Map<String, ServiceLoader.Provider<T>> providers) {
    ServiceLoader.load(service, loader).stream()
        .forEach(provider -> providers.putIfAbsent(provider.type().getName(), provider));
  }
}
