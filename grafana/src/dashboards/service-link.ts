import { dashboardLink } from '../panels/panel.ts';

/** From a series that has a service to that service's dashboard. */
export function linkToService(): object {
  return dashboardLink('Service', 'portway-service', `var-service=\${__field.labels.service}`);
}
