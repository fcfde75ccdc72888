package dev.apus.core.hub;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.regex.Pattern;

/**
 * A file of a repository, and what its content must be.
 *
 * @param path inside the repository, with slashes
 * @param digest in hexadecimal digits: the SHA-256 of the content of large files, the SHA-1 of a
 *     Git blob for others. It is also the file's name in the cache.
 */
record HubFile(String path, long size, String digest) {

  private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");
  private static final Pattern GIT = Pattern.compile("[0-9a-f]{40}");
  private static final Pattern PLAIN = Pattern.compile("[^/\\\\:\\p{Cntrl}]+");

  /**
   * Checks what a hub says, because paths and digests become names of files here.
   *
   * @throws HubException if one could lead out of the cache
   */
  HubFile {
    for (String part : path.split("/", -1)) {
      if (!PLAIN.matcher(part).matches() || part.equals(".") || part.equals("..")) {
        throw new HubException("the hub lists a file \"" + path + "\", which is no path inside it");
      }
    }
    if (!SHA256.matcher(digest).matches() && !GIT.matcher(digest).matches()) {
      throw new HubException(path + ": the hub says digest \"" + digest + "\", which is none");
    }
    if (size < 0) {
      throw new HubException(path + ": the hub says size " + size);
    }
  }

  /** The name without folders. */
  String fileName() {
    return path.substring(path.lastIndexOf('/') + 1);
  }

  /** The digest that a file has, of the kind that this one must have. */
  String digestOf(Path content) throws IOException {
    MessageDigest sum = digest.length() == 64 ? algorithm("SHA-256") : algorithm("SHA-1");
    if (digest.length() == 40) {
      sum.update(("blob " + Files.size(content) + "\0").getBytes(StandardCharsets.UTF_8));
    }
    try (InputStream in = Files.newInputStream(content)) {
      byte[] buffer = new byte[1 << 20];
      for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
        sum.update(buffer, 0, count);
      }
    }
    return HexFormat.of().formatHex(sum.digest());
  }

  private static MessageDigest algorithm(String name) {
    try {
      return MessageDigest.getInstance(name);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has " + name, e);
    }
  }
}
