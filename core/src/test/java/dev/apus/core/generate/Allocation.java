package dev.apus.core.generate;

import java.lang.reflect.Method;

/**
 * How much this thread has allocated. The module does not read the beans that know, so: by name.
 */
final class Allocation {

  private final Object bean;
  private final Method allocated;

  Allocation() throws ReflectiveOperationException {
    bean =
        Class.forName("java.lang.management.ManagementFactory")
            .getMethod("getThreadMXBean")
            .invoke(null);
    allocated =
        Class.forName("com.sun.management.ThreadMXBean")
            .getMethod("getCurrentThreadAllocatedBytes");
  }

  long bytes() throws ReflectiveOperationException {
    return (long) allocated.invoke(bean);
  }
}
