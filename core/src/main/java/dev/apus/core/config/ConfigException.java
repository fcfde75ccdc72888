package dev.apus.core.config;

/**
 * A setting that cannot be run as it says: the message names the file, the key, and what is needed.
 */
public final class ConfigException extends RuntimeException {

  private static final long serialVersionUID = 1;

  public ConfigException(String message) {
    super(message);
  }

  public ConfigException(String message, Throwable cause) {
    super(message, cause);
  }
}
