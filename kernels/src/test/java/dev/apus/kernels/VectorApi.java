package dev.apus.kernels;

/** Whether this JVM runs with the incubator module, which the vector forms need. */
public final class VectorApi {

  private VectorApi() {}

  public static boolean isPresent() {
    return ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();
  }
}
