/// The description of the API, for programs and their authors.
///
/// A test holds it to the routes and to what they answer.
enum OpenAPIDocument {
    /// OpenAPI 3.1.
    static let json = """
        {"openapi": "3.1.0",
         "info": {"title": "Semblance", "version": "1",
          "description": "Pictures that look alike in a bot's image library."},
         "security": [{"key": []}],
         "paths": {
          "/health": {"get": {"summary": "How it goes", "security": [],
           "responses": {"200": \(answer("Health")), "503": \(answer("Health"))}}},
          "/health/live": {"get": {"summary": "Whether the process runs", "security": [],
           "responses": {"200": \(answer("State"))}}},
          "/health/ready": {"get": {"summary": "Whether it can answer", "security": [],
           "responses": {"200": \(answer("State")), "503": \(answer("State"))}}},
          "/metrics": {"get": {"summary": "Requests and images, in Prometheus' text format; for the owner",
           "responses": {"200": {"description": "text/plain"}, "default": \(problem)}}},
          "/api/v1/openapi.json": {"get": {"summary": "This document",
           "responses": {"200": {"description": "OpenAPI 3.1"}, "default": \(problem)}}},
          "/api/v1/images/{id}": {"get": {"summary": "An image", "parameters": [\(id)],
           "responses": {"200": \(answer("Image")), "default": \(problem)}}},
          "/api/v1/images/{id}/similar": {"get": {"summary": "Images that look like one of the library",
           "parameters": [\(id), \(scope), \(userID), \(limit), \(threshold)],
           "responses": {"200": \(answer("Hits")), "default": \(problem)}}},
          "/api/v1/images/{id}/thumbnail": {"get": {"summary": "A copy of the picture of at most 320 pixels, or 1280, without EXIF", "parameters": [\(id), \(size)],
           "responses": {"200": {"description": "image/jpeg"}, "default": \(problem)}}},
          "/api/v1/images/{id}/embed": {"post": {"summary": "Embed an image now, unless it is embedded already", "parameters": [\(id)],
           "responses": {"200": \(answer("Embedded")), "default": \(problem)}}},
          "/api/v1/jobs/backfill": {
           "get": {"summary": "How far the backfill is; with Accept: text/event-stream an event at each change, until it is over. For the owner",
            "responses": {"200": {"description": "Backfill", "content": {
             "application/json": {"schema": {"$ref": "#/components/schemas/Backfill"}}, "text/event-stream": {}}},
             "default": \(problem)}},
           "post": {"summary": "Begin a backfill of everybody's images. For the owner",
            "responses": {"202": \(answer("Backfill")), "default": \(problem)}},
           "delete": {"summary": "Let the backfill end after the batch in flight. For the owner",
            "responses": {"202": \(answer("Backfill")), "default": \(problem)}}},
          "/api/v1/similar": {"post": {"summary": "Images that look like an uploaded picture, at most 20,000,000 bytes",
           "parameters": [\(userID), \(limit), \(threshold)],
           "requestBody": {"required": true, "content": {"image/*": {}}},
           "responses": {"200": \(answer("Hits")), "default": \(problem)}}},
          "/api/v1/search": {"get": {"summary": "Images that show what words say, graded",
           "parameters": [\(words), \(userID), \(limit)],
           "responses": {"200": \(answer("Hits")), "default": \(problem)}}},
          "/api/v1/users/{id}/similarity-stats": {"get": {"summary": "What one user's search has to go on",
           "parameters": [\(id)],
           "responses": {"200": \(answer("UserStatistics")), "default": \(problem)}}},
          "/api/v1/stats": {"get": {"summary": "How far the images are embedded", "parameters": [\(userID)],
           "responses": {"200": \(answer("Statistics")), "default": \(problem)}}},
          "/api/v1/duplicates": {"get": {"summary": "Identical files, and copies of one picture", "parameters": [\(userID)],
           "responses": {"200": \(answer("Duplicates")), "default": \(problem)}}},
          "/api/v1/failures": {"get": {"summary": "Images that could not be embedded", "parameters": [\(userID)],
           "responses": {"200": \(answer("Failures")), "default": \(problem)}}}
         },
         "components": {
          "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
          "schemas": {\(schemas)}
         }}
        """

    private static let id = parameter(
        "id",
        "path",
        #"{"type": "integer", "format": "int64", "minimum": -9223372036854775808, "maximum": 9223372036854775807}"#
    )
    private static let words = parameter("q", "query", #"{"type": "string", "minLength": 1, "maxLength": 300}"#)
    private static let size = parameter("size", "query", #"{"enum": ["small", "large"], "default": "small"}"#)
    private static let scope = parameter("scope", "query", #"{"enum": ["user", "chat", "all"]}"#)
    private static let userID = parameter(
        "user_id",
        "query",
        #"{"type": "integer", "format": "int64", "minimum": 1, "maximum": 9223372036854775807}"#
    )
    private static let limit = parameter(
        "limit",
        "query",
        #"{"type": "integer", "minimum": 1, "maximum": 100, "default": 5}"#
    )
    private static let threshold = parameter(
        "threshold",
        "query",
        #"{"type": "number", "minimum": -1, "maximum": 1, "default": 0.7}"#
    )

    private static func parameter(_ name: String, _ place: String, _ schema: String) -> String {
        let isRequired = place == "path" || name == "q"
        return #"{"name": "\#(name)", "in": "\#(place)", "required": \#(isRequired), "schema": \#(schema)}"#
    }

    private static func answer(_ schema: String) -> String {
        let reference = "#/components/schemas/" + schema
        let content = #"{"application/json": {"schema": {"$ref": "\#(reference)"}}}"#
        return #"{"description": "\#(schema)", "content": \#(content)}"#
    }

    private static let problem = """
        {"description": "RFC 9457", "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}
        """

    private static let schemas = """
        "State": {"type": "object", "required": ["status"], "properties": {"status": {"type": "string"}}},
        "Health": {"type": "object", "required": ["status"], "properties": {
         "status": {"enum": ["healthy", "degraded", "unhealthy"]}, "reasons": {"type": "array"},
         "service": {"const": "telegram-agent"}, "database": {"type": "string"}, "stats": {"type": "object"},
         "embedding_stats": {"type": "object"}, "space": {"type": "string"}, "version": {"type": "string"},
         "uptime_seconds": {"type": "number"}, "age_seconds": {"type": "number"}, "checks": {"type": "object"}}},
        "Image": {"type": "object", "required": ["id"], "properties": {
         "id": {"type": "integer"}, "created_at": {"type": "string"}, "chat_id": {"type": "integer"},
         "chat_title": {"type": "string"}, "embedded": {"type": "boolean"}}},
        "Embedded": {"type": "object", "required": ["image_id", "embedded"], "properties": {
         "image_id": {"type": "integer"}, "embedded": {"const": true}}},
        "Backfill": {"type": "object", "required": ["state", "total", "done", "failed", "images_per_second"], "properties": {
         "state": {"enum": ["idle", "running", "done", "cancelled", "failed"]}, "total": {"type": "integer"},
         "done": {"type": "integer"}, "failed": {"type": "integer"}, "images_per_second": {"type": "number"},
         "seconds_left": {"type": "number"}, "message": {"type": "string"}}},
        "Hits": {"type": "object", "required": ["model", "hits"], "properties": {
         "model": {"type": "string"}, "hits": {"type": "array", "items": {"type": "object", "required": ["image", "similarity"],
          "properties": {"image": {"$ref": "#/components/schemas/Image"}, "similarity": {"type": "number"},
          "grade": {"enum": ["strong", "likely", "weak"]}}}}}},
        "Statistics": {"type": "object", "required": ["model", "total_images", "with_embeddings", "without_embeddings",
          "coverage_percentage", "stale", "unreachable", "failed"], "properties": {
         "model": {"type": "string"}, "total_images": {"type": "integer"}, "with_embeddings": {"type": "integer"},
         "without_embeddings": {"type": "integer"}, "coverage_percentage": {"type": "number"}, "stale": {"type": "integer"},
         "unreachable": {"type": "integer"}, "failed": {"type": "integer"}}},
        "UserStatistics": {"type": "object", "required": ["user_id", "total_images", "embedded_images", "embedding_coverage",
          "similarity_search_enabled"], "properties": {
         "user_id": {"type": "integer"}, "total_images": {"type": "integer"}, "embedded_images": {"type": "integer"},
         "embedding_coverage": {"type": "number"}, "similarity_search_enabled": {"type": "boolean"},
         "stale": {"type": "integer"}, "unreachable": {"type": "integer"}, "failed": {"type": "integer"}}},
        "Duplicates": {"type": "object", "required": ["groups"], "properties": {"groups": {"type": "array", "items": {
         "type": "object", "required": ["kind", "image_ids", "bytes_freed"], "properties": {
          "kind": {"enum": ["identical", "copies"]}, "image_ids": {"type": "array", "items": {"type": "integer"}},
          "bytes_freed": {"type": "integer"}}}}}},
        "Failures": {"type": "object", "required": ["failures"], "properties": {"failures": {"type": "array", "items": {
         "type": "object", "required": ["image_id", "class", "attempts"], "properties": {
          "image_id": {"type": "integer"}, "class": {"type": "string"}, "attempts": {"type": "integer"},
          "message": {"type": "string"}}}}}},
        "Problem": {"type": "object", "required": ["type", "title", "status", "code", "detail"], "properties": {
         "type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"},
         "code": {"enum": [\(Problem.Code.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", "))]},
         "detail": {"type": "string"}}}
        """
}
