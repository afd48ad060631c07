# ActionCable without a Rails application: a channel with a stream per topic.
require "logger"
require "action_cable"
require "active_support/all"

class Connection < ActionCable::Connection::Base; end

class TopicChannel < ActionCable::Channel::Base
  def subscribed
    stream_from params[:topic]
  end

  def say(data)
    ActionCable.server.broadcast(params[:topic], data["payload"])
    transmit({said: data["id"]})
  end
end

ActionCable.server.config.tap do |c|
  c.logger = Logger.new($stderr, level: Logger::ERROR)
  c.cable = {"adapter" => "async"}
  c.connection_class = -> { Connection }
  c.disable_request_forgery_protection = true
  c.worker_pool_size = 4
end

publish = lambda do |env|
  ActionCable.server.broadcast(env["PATH_INFO"].delete_prefix("/"), env["rack.input"].read)
  [204, {}, []]
end

map("/cable") { run ActionCable.server }
map("/publish") { run publish }
map("/ready") { run ->(_) { [204, {}, []] } }
