package dev.apus.core.template;

import java.util.Map;

/** An object whose members a template may set, wherever it is. */
record Namespace(Map<String, Object> members) {}
