package dev.apus.core.hub;

import dev.apus.core.json.JsonFault;
import dev.apus.core.json.JsonObject;
import dev.apus.core.json.JsonTree;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What a hub says of a repository.
 *
 * @param commit at which its files are these
 */
record HubListing(String commit, List<HubFile> files) {

  /**
   * Reads the answer of {@code /api/models/OWNER/NAME/revision/REVISION?blobs=true}.
   *
   * @param from for messages: the address
   * @throws HubException if it is anything else
   */
  static HubListing parse(String from, byte[] json) {
    JsonObject document;
    try {
      document = JsonTree.read(json);
    } catch (JsonFault e) {
      throw new HubException(from + ": the hub's answer is no listing: " + e.getMessage(), e);
    }
    if (!(value(document, "sha") instanceof String commit) || !HubModel.isCommit(commit)) {
      throw new HubException(from + ": the hub's answer needs \"sha\", a commit");
    }
    if (!(value(document, "siblings") instanceof List<?> siblings)) {
      throw new HubException(from + ": the hub's answer needs \"siblings\", a list of files");
    }
    List<HubFile> files = new ArrayList<>();
    for (Object sibling : siblings) {
      files.add(file(from, sibling));
    }
    return new HubListing(commit, List.copyOf(files));
  }

  private static HubFile file(String from, Object sibling) {
    if (sibling instanceof JsonObject file
        && value(file, "rfilename") instanceof String path
        && value(file, "size") instanceof Long size
        && digest(file) instanceof String digest) {
      return new HubFile(path, size, digest);
    }
    throw new HubException(
        from
            + ": a file of the hub's listing needs \"rfilename\", \"size\", and \"blobId\" or"
            + " \"lfs\" with \"sha256\"");
  }

  /** Of a large file, the digest of its content; its blob is but a pointer. */
  private static Object digest(JsonObject file) {
    return value(file, "lfs") instanceof JsonObject large
        ? value(large, "sha256")
        : value(file, "blobId");
  }

  private static Object value(JsonObject object, String key) {
    JsonObject.Member member = object.members().get(key);
    return member == null ? null : member.value();
  }

  Optional<HubFile> file(String path) {
    return files.stream().filter(file -> file.path().equals(path)).findFirst();
  }
}
