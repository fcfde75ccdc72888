package dev.apus.core.file;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** The files of one model, wherever they lie: its small files by name, and its tensors. */
public interface ModelFiles {

  /** The files that a checkpoint may have beside its tensors: settings, vocabulary, template. */
  List<String> SETTINGS =
      List.of(
          "config.json",
          "generation_config.json",
          "tokenizer.json",
          "tokenizer_config.json",
          "chat_template.jinja",
          "chat_template.json",
          "special_tokens_map.json",
          "added_tokens.json",
          "vocab.json",
          "vocab.txt",
          "merges.txt",
          "tokenizer.model",
          "spiece.model",
          "sentencepiece.bpe.model",
          "tiktoken.model",
          "qwen.tiktoken",
          "rwkv_vocab_v20230424.txt");

  /** The folder beside them that may hold further templates. */
  String TEMPLATES = "additional_chat_templates";

  /** For messages: where the files lie. */
  String name();

  /**
   * The content of a file, or null if there is no such file.
   *
   * @throws FormatException if it cannot be read or is larger than any such file
   */
  byte[] read(String file);

  /**
   * The tensors; the caller closes them.
   *
   * @throws FormatException if there are none or their files are broken
   */
  TensorFile tensors();

  /**
   * The files at a path: a folder in the Hugging Face layout, or a GGUF file.
   *
   * @throws FormatException if there is nothing
   */
  static ModelFiles of(Path path) {
    if (Files.isDirectory(path)) {
      return folder(path);
    }
    if (!Files.exists(path)) {
      throw new FormatException(path + ": there is no such file or folder");
    }
    return gguf(path);
  }

  /**
   * The file by which a folder's safetensors files are opened: the only one, or their index; null
   * if it has neither.
   */
  static String safetensorsIn(Path folder) {
    return Stream.of(Safetensors.SINGLE, Safetensors.INDEX)
        .filter(name -> Files.exists(folder.resolve(name)))
        .findFirst()
        .orElse(null);
  }

  /**
   * Copies what lies beside a checkpoint's tensors, as it is.
   *
   * @param from the checkpoint's folder
   * @param to another folder
   * @throws FormatException if a file cannot be read or is larger than any such file
   */
  static void copySettings(Path from, Path to) throws IOException {
    for (String name : SETTINGS) {
      SettingsFile.copy(from.resolve(name), to.resolve(name));
    }
    Path templates = from.resolve(TEMPLATES);
    if (Files.isDirectory(templates)) {
      Path copies = Files.createDirectories(to.resolve(TEMPLATES));
      try (Stream<Path> files = Files.list(templates)) {
        for (Path file : files.filter(f -> f.toString().endsWith(".jinja")).toList()) {
          SettingsFile.copy(file, copies.resolve(file.getFileName()));
        }
      }
    }
  }

  /** A GGUF file, which has its settings and its vocabulary in itself. */
  static ModelFiles gguf(Path file) {
    return new ModelFiles() {

      @Override
      public String name() {
        return file.toString();
      }

      @Override
      public byte[] read(String name) {
        return null;
      }

      @Override
      public TensorFile tensors() {
        return Gguf.open(file);
      }
    };
  }

  /**
   * The files of a folder in the Hugging Face layout. Its tensors are in safetensors files, or in
   * {@code model.gguf} under the names that safetensors files would have.
   */
  static ModelFiles folder(Path folder) {
    return new ModelFiles() {

      @Override
      public String name() {
        return folder.toString();
      }

      @Override
      public byte[] read(String file) {
        return SettingsFile.read(folder.resolve(file));
      }

      @Override
      public TensorFile tensors() {
        Path gguf = folder.resolve("model.gguf");
        boolean packed = Files.exists(gguf);
        String safetensors = safetensorsIn(folder);
        if (packed && safetensors != null) {
          throw new FormatException(
              folder
                  + ": holds both model.gguf and "
                  + safetensors
                  + "; remove model.gguf to open "
                  + safetensors
                  + ", or "
                  + safetensors
                  + " to open model.gguf");
        }
        if (safetensors == null && !packed && !Files.exists(folder.resolve("config.json"))) {
          throw new FormatException(
              folder
                  + ": there is no config.json; a checkpoint is a folder with config.json and"
                  + " model.safetensors, or a GGUF file");
        }
        return packed ? Gguf.open(gguf) : Safetensors.openFolder(folder);
      }
    };
  }
}
